"""Layer and Parameter, the base of what is learned."""

import ne_torch as nt
import numpy as np
import pytest
import torch

from samples import LAYOUTS, normal, same_bits


def test_parameter_tells_shape_dtype_and_size(dtype):
    parameter = nt.Parameter(normal((2, 3), dtype))
    assert (parameter.shape, parameter.dtype, parameter.size) == ((2, 3), dtype, 6)
    assert parameter.grad is None
    assert repr(parameter) == f"Parameter(shape=(2, 3), dtype={dtype})"


def test_parameter_keeps_its_array():
    array = normal((2, 3), "float32")
    parameter = nt.Parameter(array)
    parameter.data = np.ones((2, 3))
    assert parameter.data is array
    assert (array == 1).all()
    with pytest.raises(ValueError, match="broadcast"):
        parameter.data = np.ones((3, 2))


def test_layer_without_methods_says_so():
    layer = nt.Layer()
    with pytest.raises(NotImplementedError, match="Layer has no forward"):
        layer(np.zeros(1))
    with pytest.raises(NotImplementedError, match="Layer has no backward"):
        layer.backward(np.zeros(1))


def test_layer_that_learns_nothing_has_no_state():
    layer = nt.Layer()
    layer.step(0.1)
    layer.load_state_dict({})
    assert layer.parameters() == []
    assert layer.state_dict() == {}


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("list", "dlpack_only")])
def test_state_is_loaded_from_any_array(dtype, layout):
    linear = nt.Linear(3, 4, dtype=dtype, rng=0)
    weight = LAYOUTS[layout](normal((4, 3), dtype, 1))
    linear.load_state_dict({"weight": weight, "bias": torch.ones(4, dtype=torch.float64)})
    assert same_bits(linear.weight, np.asarray(weight).astype(dtype, order="C"))
    assert same_bits(linear.bias, np.ones(4, dtype))


def test_state_may_be_the_layer_itself(dtype):
    linear = nt.Linear(3, 3, dtype=dtype, rng=0)
    expected = linear.weight.T.copy()
    linear.load_state_dict({"weight": linear.weight.T, "bias": linear.bias})
    assert same_bits(linear.weight, expected)
