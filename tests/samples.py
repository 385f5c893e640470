"""Inputs for the tests: seeded numbers, special values, and one array in every layout that NumPy knows."""

import numpy as np

try:
    import torch
except ImportError:  # pytest --bare
    torch = None


def normal(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


NON_FINITE = [np.inf, -np.inf, np.nan, 0.0, -0.0]


def special_values(dtype):
    info = np.finfo(dtype)
    tiny, least = info.tiny, info.smallest_subnormal
    ends = [0.0, 1.0, 1e4, 88.7, 103.9, 745.1, info.eps, tiny, least, 3 * least, info.max, np.inf]
    return np.array([sign * value for value in ends for sign in (1, -1)] + [np.nan], dtype)


def with_specials(shape, dtype, share, seed=0, specials=None):
    """Return normal numbers of which a share is replaced by special values."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape).astype(dtype)
    chosen = rng.random(shape) < share
    specials = special_values(dtype) if specials is None else np.array(specials, dtype)
    values[chosen] = rng.choice(specials, int(chosen.sum()))
    return values


def same_bits(actual, expected):
    """Whether two arrays agree in shape, dtype and every bit; of a NaN, IEEE 754 leaves most bits open."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return False
    nan = np.isnan(expected)
    return np.array_equal(np.isnan(actual), nan) and actual[~nan].tobytes() == expected[~nan].tobytes()


class DLPackOnly:
    """An array of a library that offers DLPack and nothing else."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def _strided(array):
    return np.repeat(array, 3, axis=-1)[..., ::3]


def _negative_strides(array):
    return np.flip(np.flip(array).copy())


def _zero_strides(array):
    return np.broadcast_to(array[:1], array.shape)


def _read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def _misaligned(array):
    return np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)


def _byte_swapped(array):
    return array.astype(array.dtype.newbyteorder("S"))


LAYOUTS = {
    "strided": _strided,
    "fortran": np.asfortranarray,
    "negative_strides": _negative_strides,
    "zero_strides": _zero_strides,
    "read_only": _read_only,
    "misaligned": _misaligned,
    "byte_swapped": _byte_swapped,
    "memoryview": lambda array: memoryview(array.copy()),
    "list": lambda array: array.tolist(),
    "dlpack_only": lambda array: DLPackOnly(array.copy()),
}
if torch is not None:
    LAYOUTS["torch"] = lambda array: torch.from_numpy(array.copy())
    LAYOUTS["torch_transposed"] = lambda array: torch.from_numpy(array.T.copy()).permute(
        *range(array.ndim)[::-1]
    )


def contiguous(laid_out, dtype):
    """Return the numbers of what a layout made, as an array that kernels read where it lies."""
    array = laid_out._array if isinstance(laid_out, DLPackOnly) else laid_out
    return np.asarray(array).astype(dtype, order="C")
