"""``out=`` that overlaps an input is right or refused: of every function and every class that takes one."""

import copy
import inspect

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import functional

from public_classes import LAYERS
from samples import normal, same_bits

OFFSETS = [-15, -1, 0, 1, 15]


def takes_out(function):
    return "out" in inspect.signature(function).parameters


FUNCTIONS = [name for name in functional.__all__ if takes_out(getattr(functional, name))]
CLASSES = [kind for kind in LAYERS if takes_out(kind.forward)]


def overlapping(offset, like):
    """Return an input of four by four and an output like another that lie `offset` numbers apart."""
    room = normal(64, "float32")
    begin = 16 + offset
    return room[16:32].reshape(4, 4), room[begin : begin + like.size].reshape(like.shape)


def right_or_refused(call, x, out, expected):
    kept = x.copy()
    try:
        found = call(x, out)
    except ValueError as error:
        refusal = str(error)
    else:
        assert found is out
        assert same_bits(found, expected)
        return
    assert "share no memory" in refusal
    assert same_bits(x, kept)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_out_of_a_function_that_overlaps_an_operand_is_right_or_refused(name, offset):
    function = getattr(functional, name)
    parameters = inspect.signature(function).parameters.values()
    count = sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    operands = [normal((4, 4), "float32", seed) for seed in range(count)]
    if name == "nll_backward":
        operands[1] = np.arange(4)
    for place, operand in enumerate(operands):
        if operand.ndim == 2:
            x, out = overlapping(offset, operand)
            other = [*operands[:place], x.copy(), *operands[place + 1 :]]
            expected = function(*other)
            right_or_refused(
                lambda x, out: function(*operands[:place], x, *operands[place + 1 :], out=out),  # noqa: B023
                x,
                out,
                expected,
            )


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_out_of_a_layer_that_overlaps_the_input_is_right_or_refused(kind, offset):
    for make in LAYERS[kind]:
        layer = make("float32", 4)
        expected = copy.deepcopy(layer)(overlapping(offset, np.empty((4, 4)))[0].copy())
        x, out = overlapping(offset, expected)
        right_or_refused(lambda x, out: layer.forward(x, out=out), x, out, expected)  # noqa: B023


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("weights", ["same", "bfloat16", "int8"])
def test_out_of_a_predictor_that_overlaps_the_input_is_right_or_refused(weights, offset):
    predictor = nt.Sequential(nt.Linear(4, 4, rng=0), nt.Tanh()).freeze(weights)
    x, out = overlapping(offset, np.empty((4, 4)))
    right_or_refused(lambda x, out: predictor(x, out=out), x, out, predictor(x.copy()))
