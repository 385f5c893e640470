"""Wrong arguments besides arrays: sizes, rates, layers, states, environment."""

import math

import ne_torch as nt
import pytest
from ne_torch import _core

from bench import assert_refused, table, zeros
from process import run

INFINITE = [math.nan, math.inf, -math.inf]
NO_NUMBERS = ["0.1", None, 1j, [0.1], {}]

# (call, exception, what the message says, ...)
SIZES = [
    (lambda _: nt.Linear(0, 3), ValueError, "Linear: expected in_features as a positive integer, got 0"),
    (lambda _: nt.Linear(3, -1), ValueError, "Linear: expected out_features as a positive integer, got -1"),
    (lambda _: nt.Linear(2.0, 3), TypeError, "Linear: expected in_features as a positive integer, got 2.0"),
    (lambda _: nt.Linear("3", 3), TypeError, "Linear: expected in_features as a positive integer, got '3'"),
    (lambda _: nt.Linear(True, 3), TypeError, "Linear: expected in_features as a positive integer, got True"),
    (
        lambda _: nt.Linear(3, None),
        TypeError,
        "Linear: expected out_features as a positive integer, got None",
    ),
    *[
        (
            lambda _, dtype=dtype: nt.Linear(3, 2, dtype=dtype),
            TypeError,
            'expected dtype "float32" or "float64", got',
        )
        for dtype in ("float16", "int32", "complex64", "abc", "01", "2**,", None, object, 3)
    ],
    (
        lambda _: nt.Linear(3, 2, rng="seed"),
        TypeError,
        "expected rng as an integer, a Generator or None, got 'seed'",
    ),
    (
        lambda _: nt.Linear(3, 2, rng=1.5),
        TypeError,
        "expected rng as an integer, a Generator or None, got 1.5",
    ),
    (lambda _: nt.Linear(3, 2, rng=-1), ValueError, "expected seed from 0 to 2**64 - 1, got -1"),
    (
        lambda _: nt.Generator(0, position=2**64),
        ValueError,
        "expected position from 0 to 2**64 - 1, got 1844674407",
    ),
    (lambda _: nt.Generator("0"), TypeError, "Generator: expected seed as an integer, got '0'"),
    (
        lambda _: nt.manual_seed(2**64),
        ValueError,
        "expected seed from 0 to 2**64 - 1, got 18446744073709551616",
    ),
    (
        lambda _: nt.set_num_threads(0),
        ValueError,
        "set_num_threads: expected threads as a positive integer, got 0",
    ),
    (
        lambda _: nt.set_num_threads(-1),
        ValueError,
        "set_num_threads: expected threads as a positive integer, got -1",
    ),
    (
        lambda _: nt.set_num_threads(1.5),
        TypeError,
        "set_num_threads: expected threads as a positive integer, got 1.5",
    ),
    (
        lambda _: nt.set_num_threads(True),
        TypeError,
        "set_num_threads: expected threads as a positive integer, got True",
    ),
    (
        lambda _: nt.set_num_threads(1025),
        ValueError,
        "set_num_threads: expected an integer from 1 to 1024, got 1025",
    ),
    (lambda _: nt.set_num_threads(2**40), ValueError, "from 1 to 1024", "1099511627776"),
    (lambda _: _core.select_isa("sse9"), ValueError, "expected one of", "scalar", "got 'sse9'"),
]
RATES = [
    case
    for call, place in [
        (lambda b, rate: b.linear.step(rate), "Linear.step: expected learning_rate"),
        (lambda b, rate: b.model.step(rate), "Sequential.step: expected learning_rate"),
        (lambda b, rate: nt.SGD(b.model.parameters(), lr=rate), "SGD: expected lr"),
        (lambda b, rate: setattr(b.sgd, "lr", rate), "SGD: expected lr"),
        (lambda b, rate: setattr(b.sgd, "momentum", rate), "SGD: expected momentum"),
        (lambda b, rate: setattr(b.sgd, "weight_decay", rate), "SGD: expected weight_decay"),
    ]
    for case in [
        *[
            (lambda b, c=call, r=r: c(b, r), ValueError, f"{place} as a finite number, got {r}")
            for r in INFINITE
        ],
        *[(lambda b, c=call, r=r: c(b, r), TypeError, f"{place} as a number, got {r!r}") for r in NO_NUMBERS],
    ]
]
RATES += [
    (lambda b: nt.SGD(b.model.parameters(), lr=-0.1), ValueError, "SGD: expected lr >= 0, got -0.1"),
    (lambda b: nt.SGD(b.model.parameters(), momentum=-1), ValueError, "SGD: expected momentum >= 0, got -1"),
    (lambda b: setattr(b.sgd, "weight_decay", -2), ValueError, "SGD: expected weight_decay >= 0, got -2"),
    (
        lambda b: nt.SGD(b.model.parameters(), nesterov=True),
        ValueError,
        "momentum > 0 with nesterov=True, got mom",
    ),
    (lambda _: nt.SGD([]), ValueError, "SGD: expected at least one parameter, got none"),
    (lambda _: nt.SGD(nt.ReLU().parameters()), ValueError, "SGD: expected at least one parameter, got none"),
    (lambda b: nt.SGD([b.linear.weight]), TypeError, "expected params from model.parameters(), got ndarray"),
    (lambda b: nt.SGD(b.model), TypeError, "expected params from model.parameters(), got Linear"),
]

LAYERS = [
    (lambda _: nt.Sequential(nt.ReLU), TypeError, "expected layers with forward and backward, got <class"),
    (
        lambda b: nt.Sequential(b.linear, 3),
        TypeError,
        "Sequential: expected layers with forward and backward, got 3",
    ),
    (
        lambda b: nt.Sequential([b.linear]),
        TypeError,
        "Sequential: expected layers with forward",
        "got [Linear(",
    ),
    (lambda b: b.model.append("relu"), TypeError, "Sequential: expected layers with forward", "got 'relu'"),
    (lambda b: b.model.__setitem__(0, None), TypeError, "Sequential: expected layers", "got None"),
    (lambda b: b.model.__setitem__(slice(2), [b.relu, 1]), TypeError, "Sequential: expected layers", "got 1"),
]

# The good half of a bad state is not loaded either: 0.weight is new in each.
LOADED = {"0.weight": zeros(3, 4)}
STATES = [
    ({"2.bias": zeros(4)}, ValueError, "Sequential.load_state_dict: expected 2.bias of shape (3,), got (4,)"),
    ({"2.bias": zeros(1)}, ValueError, "Sequential.load_state_dict: expected 2.bias of shape (3,), got (1,)"),
    ({"2.bias": 0.0}, ValueError, "Sequential.load_state_dict: expected 2.bias of shape (3,), got ()"),
    ({"2.bias": zeros(3, dtype=int)}, TypeError, "expected 2.bias of a floating dtype, got int64"),
    ({"2.bias": zeros(3, dtype=complex)}, TypeError, "expected 2.bias of a floating dtype, got complex128"),
    ({"2.bias": ["a", "b", "c"]}, TypeError, "expected 2.bias of a floating dtype, got <U1"),
    ({"3.bias": zeros(3)}, ValueError, "'2.weight']; missing: [], unknown: ['3.bias']"),
]
LOADS = [
    (lambda b, new=new: b.model.load_state_dict({**b.model.state_dict(), **LOADED, **new}), error, says)
    for new, error, says in STATES
]
LOADS += [
    (
        lambda b: b.model.load_state_dict(LOADED),
        ValueError,
        "missing: ['0.bias', '2.bias', '2.weight'], unknown: []",
    ),
    (
        lambda b: setattr(b.linear, "weight", zeros(4, 3)),
        ValueError,
        "expected weight of shape (3, 4), got (4, 3)",
    ),
    (
        lambda b: setattr(b.linear, "bias", [1, 2, 3]),
        TypeError,
        "expected bias of a floating dtype, got int64",
    ),
    (lambda _: setattr(nt.Linear(2, 2, bias=False), "bias", zeros(2)), ValueError, "unknown: ['bias']"),
]


@pytest.mark.parametrize(("call", "error", "says"), table(SIZES, RATES, LAYERS, LOADS))
def test_wrong_argument_is_refused(call, error, says):
    assert_refused(call, error, *says)


@pytest.mark.parametrize("name", ["sse9", "AVX2", "scalar,avx2"])
def test_unknown_instruction_set_is_refused_at_import(name):
    result = run("import ne_torch", NE_TORCH_ISA=name)
    assert result.returncode == 1
    expected = f"ImportError: NE_TORCH_ISA: expected one of {', '.join(_core.available_isas())}, got '{name}'"
    assert result.stderr.splitlines()[-1] == expected


def test_instruction_set_of_another_machine_is_refused_at_import():
    name = next(name for name in ("neon", "avx512") if name not in _core.available_isas())
    result = run("import ne_torch", NE_TORCH_ISA=name)
    assert result.returncode == 1
    assert (
        f"this machine cannot run '{name}'; it can run {', '.join(_core.available_isas())}" in result.stderr
    )


@pytest.mark.parametrize("value", ["zero", "0", "-1", "1.5", "1025", "9" * 30, "2 "])
def test_wrong_number_of_threads_is_refused_at_import(value):
    result = run("import ne_torch", NE_TORCH_NUM_THREADS=value)
    assert result.returncode == 1
    expected = f"ImportError: NE_TORCH_NUM_THREADS: expected an integer from 1 to 1024, got '{value}'"
    assert result.stderr.splitlines()[-1] == expected
