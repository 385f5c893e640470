"""ne_torch.functional: every bit by its definition, alike in all instruction sets, from any array."""

import numpy as np
import pytest
from ne_torch import _core, functional
from ne_torch.activations.functional import __all__ as activations

import reference
from samples import LAYOUTS, contiguous, normal, same_bits, with_specials

# name: (function, the shapes of its operands). Where there are several, their dtypes have to agree.
X, W, B, Y = (5, 7), (9, 7), (9,), (5, 9)
OPERATIONS = {
    "affine_forward": (functional.affine_forward, (X, W, B)),
    "affine_backward": (functional.affine_backward, (Y, X, W)),
    "mse_forward": (functional.mse_forward, (X, X)),
    "mse_backward": (functional.mse_backward, (X, X)),
}
for _name in activations:
    OPERATIONS[_name] = (getattr(functional, _name), (X,) if _name.endswith("_forward") else (X, X))
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 130]


def results(function, *operands):
    result = function(*operands)
    return [np.asarray(array) for array in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 1), (5, 7, 4), (4, 17, 9), (13, 5, 33)], ids=str)
def test_affine_is_its_fused_multiply_adds(isa, dtype, shape):
    batch, in_features, out_features = shape
    x, weight = normal((batch, in_features), dtype, 1), normal((out_features, in_features), dtype, 2)
    bias, g = normal(out_features, dtype, 3), normal((batch, out_features), dtype, 4)
    chain = reference.product(x, weight.T)
    assert same_bits(functional.affine_forward(x, weight), chain)
    assert same_bits(functional.affine_forward(x, weight, bias), chain + bias)
    grad_input, grad_weight, grad_bias = functional.affine_backward(g, x, weight)
    assert same_bits(grad_input, reference.product(g, weight))
    assert same_bits(grad_weight, reference.product(g.T, x))
    total = np.zeros_like(bias)
    for row in g:
        total = total + row
    assert same_bits(grad_bias, total)


def test_affine_is_one_chain_at_any_depth(isa):
    # float32 only: its exact fused multiply-add is fast
    wide, wide2 = normal((2, 5000), "float32", 1), normal((3, 5000), "float32", 2)
    narrow, tall = normal((2, 3), "float32", 3), wide2.T.copy()
    assert same_bits(functional.affine_forward(wide, wide2), reference.product(wide, tall))
    assert same_bits(functional.affine_backward(wide, narrow, tall)[0], reference.product(wide, tall))
    assert same_bits(functional.affine_backward(wide.T, tall, narrow)[1], reference.product(wide, tall))


def test_softmax_backward_is_its_fused_multiply_adds(isa, dtype):
    s, g = normal((5, 7), dtype, 1), normal((5, 7), dtype, 2)
    total = np.zeros(5, dtype)
    for c in range(7):
        total = reference.fma(g[:, c], s[:, c], total)
    assert same_bits(functional.softmax_backward(g, s), s * (g - total[:, None]))


@pytest.mark.parametrize("position", [0, 20, 50])
def test_softmax_sums_its_exponentials_in_ascending_order(isa, dtype, position):
    # 1 + exp(x) rounds to 1 for x this low: so the softmax of (x, 0) is exp(x). Fifty of them together change
    # the sum if they come before the ones, and not if they come after.
    highest = -17.4 if dtype == "float32" else -37.5
    x = np.random.default_rng(1).uniform(highest - 2, highest, 51).astype(dtype)
    e = functional.softmax_forward(np.stack([x, np.zeros_like(x)], axis=1))[:, 0].copy()
    x[[10, 30, position]], e[[10, 30, position]] = 0, 1
    total = dtype.type(0)
    for term in e:
        total = total + term
    assert same_bits(functional.softmax_forward(np.stack([x] * 5)), np.stack([e / total] * 5))


@pytest.mark.parametrize("share", [0, 0.02, 0.5])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_agree_in_all_instruction_sets(isa, other_isa, dtype, name, share):
    function, shapes = OPERATIONS[name]
    rng = np.random.default_rng(1)
    for seed in range(40):
        sizes = dict(zip((5, 7, 9), rng.choice(SIZES, 3), strict=True))
        shaped = [[sizes[n] for n in shape] for shape in shapes]
        operands = [with_specials(shape, dtype, share, seed + i) for i, shape in enumerate(shaped)]
        ours = results(function, *operands)
        _core.select_isa(other_isa)
        theirs = results(function, *operands)
        _core.select_isa(isa)
        assert all(same_bits(a, b) for a, b in zip(ours, theirs, strict=True)), sizes


@pytest.mark.parametrize(
    "shape",
    [
        *[(3, 16385, 5), (67, 1030, 131), (130, 70, 129), (5, 700, 200), (200, 700, 5), (13, 512, 70)],
        *[(13, 70, 512), (30, 200, 97), (385, 70, 9), (1, 65, 33), (33, 64, 1), (65, 1, 64)],
    ],
    ids=str,
)
def test_affine_agrees_in_all_instruction_sets_where_it_is_blocked(isa, other_isa, dtype, shape):
    batch, in_features, out_features = shape
    x, weight = normal((batch, in_features), dtype, 1), normal((out_features, in_features), dtype, 2)
    g = normal((batch, out_features), dtype, 3)
    ours = [functional.affine_forward(x, weight), *functional.affine_backward(g, x, weight)]
    _core.select_isa(other_isa)
    theirs = [functional.affine_forward(x, weight), *functional.affine_backward(g, x, weight)]
    assert all(same_bits(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_take_any_layout(dtype, name, layout):
    function, shapes = OPERATIONS[name]
    plain = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    deciders = {"affine_backward": 2, "affine_forward": 1, "mse_backward": 0}
    decider = deciders.get(name, 1 if name.endswith("_backward") else 0)
    for i, array in enumerate(plain):
        if layout == "list" and i == decider and dtype == "float32":
            continue  # a list of Python numbers is float64 where it decides the dtype
        laid_out = LAYOUTS[layout](array)
        before = contiguous(laid_out, dtype)
        expected = results(function, *plain[:i], before, *plain[i + 1 :])
        actual = results(function, *plain[:i], laid_out, *plain[i + 1 :])
        assert all(same_bits(a, b) for a, b in zip(actual, expected, strict=True))
        assert same_bits(contiguous(laid_out, dtype), before)


@pytest.mark.parametrize(
    "name", [name for name in OPERATIONS if name not in ("affine_backward", "mse_forward")]
)
def test_operations_write_to_out(isa, dtype, name):
    function, shapes = OPERATIONS[name]
    operands = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    expected = function(*operands)
    out = np.full_like(expected, np.nan)
    assert function(*operands, out=out) is out
    assert same_bits(out, expected)
    if name == "affine_forward":
        return
    for i in range(len(operands)):  # element by element: in the place of an operand
        copies = [operand.copy() for operand in operands]
        assert same_bits(function(*copies, out=copies[i]), expected)
        assert all(same_bits(a, b) for j, (a, b) in enumerate(zip(copies, operands, strict=True)) if j != i)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_return_new_arrays(dtype, name):
    function, shapes = OPERATIONS[name]
    operands = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    before = [operand.copy() for operand in operands]
    for result in results(function, *operands):
        assert result.flags.c_contiguous
        assert result.flags.writeable
        assert not any(np.shares_memory(result, operand) for operand in operands)
    assert all(same_bits(a, b) for a, b in zip(operands, before, strict=True))
