"""The elementary functions: stated errors hold, special arguments give what IEEE 754 says.

`ulp float32 FUNCTION 1` of tests/platforms measures every float; here every 1009th of them.
"""

import re

import mpmath
import numpy as np
import pytest

# units in the last place, for float32 and float64, as docs/reproducibility.md states them
BOUNDS = {
    "exp": (1.1, 1.1),
    "expm1": (1.7, 1.7),
    "log": (1.0, 1.0),
    "log1p": (1.4, 1.4),
    "tanh": (2.5, 2.5),
    "sigmoid": (2.5, 2.5),
    "erf": (1.2, 1.2),
}
EXACT = {name: getattr(mpmath, name) for name in BOUNDS if name != "sigmoid"}
EXACT["sigmoid"] = lambda x: 1 / (1 + mpmath.exp(-x))


def wide(function, x, native):
    """Return the function of float64 numbers."""
    return np.frombuffer(native("ulp", "float64", function, input=np.asarray(x, "float64").tobytes()))


def samples(function):
    """Return float64 numbers all over the domain of a function, its edges, and where it loses most."""
    rng = np.random.default_rng(0)
    tiny, any_exponent = rng.normal(0, 1e-8, 500), 2 ** rng.uniform(-1000, 1000, 2000)
    return {
        "exp": [rng.uniform(-745, 709.7, 3000), rng.uniform(-1, 1, 3000), tiny],
        "expm1": [rng.uniform(-745, 709.7, 1000), rng.uniform(-2, 2, 5000), tiny],
        "log": [rng.uniform(0, 1, 3000), any_exponent, 1 + rng.normal(0, 1e-3, 500), [5e-324, 3e-310]],
        "log1p": [rng.uniform(-1, 2, 5000), any_exponent, tiny],
        "tanh": [rng.uniform(-20, 20, 1000), rng.uniform(-2, 2, 5000), tiny],
        "sigmoid": [rng.uniform(-700, 50, 1000), rng.uniform(-5, 5, 5000), tiny],
        "erf": [rng.uniform(-6, 6, 1000), rng.uniform(-2, 2, 5000), tiny],
    }[function]


def worst_error(found, x, exact):
    """Return the largest error in units in the last place of the exact values."""
    with mpmath.workdps(40):
        return max(
            _ulps(f, exact(mpmath.mpf(v))) for f, v in zip(map(float, found), map(float, x), strict=True)
        )


def _ulps(found, exact):
    exponent = max(int(mpmath.floor(mpmath.log(abs(exact), 2))), -1022)
    return float(abs(mpmath.mpf(found) - exact) / mpmath.mpf(2) ** (exponent - 52))


@pytest.mark.parametrize("function", BOUNDS)
def test_float32_error_is_as_stated(function, native):
    printed = native("ulp", "float32", function, 1009).decode()
    worst, count = re.match(r"([\d.inf]+) ulp at .*, of (\d+) floats", printed).groups()
    assert int(count) > 4_000_000
    assert float(worst) <= BOUNDS[function][0]


@pytest.mark.parametrize("function", BOUNDS)
def test_float64_error_is_as_stated(function, native):
    x = np.concatenate(samples(function))
    assert worst_error(wide(function, x, native), x, EXACT[function]) <= BOUNDS[function][1]


def test_log_of_the_random_numbers_is_as_stated(native):
    x = np.concatenate(samples("log")[:3])
    assert worst_error(wide("draws_log", x, native), x, mpmath.log) <= 2.0


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        ("exp", [0.0, -0.0, np.inf, -np.inf, 710, -746, np.nan], [1, 1, np.inf, 0, np.inf, 0, np.nan]),
        ("expm1", [0.0, -0.0, np.inf, -np.inf, 710, np.nan], [0.0, -0.0, np.inf, -1, np.inf, np.nan]),
        ("tanh", [0.0, -0.0, np.inf, -np.inf, 50, np.nan], [0.0, -0.0, 1, -1, 1, np.nan]),
        ("sigmoid", [0.0, -0.0, np.inf, -np.inf, -800, np.nan], [0.5, 0.5, 1, 0, 0, np.nan]),
        ("erf", [0.0, -0.0, np.inf, -np.inf, 7, np.nan], [0.0, -0.0, 1, -1, 1, np.nan]),
        ("log", [1, 0.0, -0.0, np.inf, -1, -np.inf, np.nan], [0, -np.inf, -np.inf, np.inf, *[np.nan] * 3]),
        ("log1p", [0.0, -0.0, -1, np.inf, -2, -np.inf, np.nan], [0.0, -0.0, -np.inf, np.inf, *[np.nan] * 3]),
    ],
)
def test_special_arguments_give_what_ieee_754_says(function, x, expected, native):
    found = wide(function, x, native)
    np.testing.assert_array_equal(found, expected)
    if function != "log":  # log of 1 is +0
        signs = [np.signbit(np.nan_to_num(values)) for values in (found, np.array(expected, "float64"))]
        np.testing.assert_array_equal(*signs)
