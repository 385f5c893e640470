"""Losses as objects: options, copies, functions, shapes, and what they refuse."""

import copy
import math
import pickle

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch import functional, losses

from reference_losses import CASES, case_of
from samples import LAYOUTS, contiguous, normal, same_bits


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


CE = nt.CrossEntropyLoss
# (call, exception, what the message says, ...)
REFUSED = [
    (lambda: nt.MSELoss(reduction="avg"), ValueError, "MSELoss: expected reduction", "got 'avg'"),
    (lambda: nt.HuberLoss(delta=0), ValueError, "HuberLoss: expected 0.0 < delta, got 0"),
    (lambda: nt.HuberLoss(delta="1"), TypeError, "HuberLoss: expected delta as a number, got '1'"),
    (lambda: nt.SmoothL1Loss(beta=-1), ValueError, "SmoothL1Loss: expected 0.0 <= beta, got -1"),
    (lambda: nt.QuantileLoss(1.0), ValueError, "QuantileLoss: expected 0.0 < quantile < 1.0, got 1.0"),
    (lambda: nt.PoissonNLLLoss(eps=math.nan), ValueError, "eps as a finite number, got nan"),
    (lambda: CE(label_smoothing=1.1), ValueError, "expected 0.0 <= label_smoothing <= 1.0, got 1.1"),
    (lambda: CE(ignore_index=1.5), TypeError, "expected ignore_index as an integer, got 1.5"),
    (lambda: CE(ignore_index=2**63), ValueError, "expected ignore_index as an integer of 64 bits"),
    (lambda: CE([1.0, -1.0]), ValueError, "expected finite weight >= 0, got [1.0, -1.0]"),
    (lambda: CE([1.0, math.inf]), ValueError, "expected finite weight >= 0"),
    (lambda: CE(["a"]), TypeError, "expected weight as real numbers"),
    (lambda: CE(2.0), ValueError, "expected weight of shape (classes,), got ()"),
    (lambda: nt.BCEWithLogitsLoss(pos_weight=[[1.0]]), ValueError, "of shape (classes,), got (1, 1)"),
    (lambda: CE([1.0, 2.0])(zeros(2, 3), [0, 1]), ValueError, "expected weight of shape (3,)", "got (2,)"),
    (lambda: CE([1.0])(zeros(2, 3), [0, 1]), ValueError, "expected weight of shape (3,)", "got (1,)"),
    (
        lambda: nt.BCEWithLogitsLoss(pos_weight=[1, 2])(zeros(2, 3), zeros(2, 3)),
        ValueError,
        "expected pos_weight of shape (3,), a number for each class, got (2,)",
    ),
    (lambda: CE()(zeros(2, 3), [0, 3]), ValueError, "from 0 to 2, or ignore_index -100, got 3"),
    (lambda: CE()(zeros(2, 3), [-1, 0]), ValueError, "got -1 at position 0"),
    (lambda: CE()(zeros(1, 3), np.array([2**64 - 1], "uint64")), ValueError, "got -1 at position 0"),
    (lambda: CE()(zeros(2, 3), [0]), ValueError, "expected target of shape (2,)", "got (1,)"),
    (lambda: CE()(zeros(2, 3), zeros(2)), TypeError, "target as integers", "float32", 'astype("int64")'),
    (lambda: CE()(zeros(2, 3), zeros(2, 3, dtype=int)), TypeError, "target of dtype float32, got int64"),
    (lambda: CE()(zeros(2, 3), zeros(2, 3, dtype="float64")), TypeError, "of dtype float32, got float64"),
    (lambda: CE(ignore_index=1)(zeros(2, 3), zeros(2, 3)), ValueError, "expected class indices", "is 1"),
    (lambda: CE()(zeros(2, 0), [0, 0]), ValueError, "(..., classes) with at least one class, got (2, 0)"),
    (lambda: CE()(zeros(), 0), ValueError, "(..., classes) with at least one class, got ()"),
    (lambda: CE()(zeros(2, 3), [True, False]), TypeError, "expected target as integers", "got bool"),
    (lambda: nt.NLLLoss()(zeros(2, 3), zeros(2, 3)), ValueError, "NLLLoss: expected target of shape (2,)"),
    (lambda: nt.MSELoss()(zeros(2, 3), zeros(2, 3), zeros(3)), ValueError, "of shape (2,)", "got (3,)"),
    (
        lambda: nt.MSELoss()(zeros(2, 3), zeros(2, 3), [1.0, -1.0]),
        ValueError,
        "expected finite sample_weight >= 0, got -1.0 at position 1",
    ),
    (lambda: nt.MSELoss()(zeros(2, 3), zeros(2, 3), [math.nan, 1.0]), ValueError, "got nan at position 0"),
    (
        lambda: nt.MSELoss()(zeros(2, 3), zeros(2, 3), zeros(2, dtype="float64")),
        TypeError,
        "sample_weight of dtype float32, got float64",
    ),
    (lambda: setattr(nt.HuberLoss(), "delta", 2.0), AttributeError, "HuberLoss: delta is fixed"),
]


@pytest.mark.parametrize(("call", "error", "parts"), [(c, e, p) for c, e, *p in REFUSED])
def test_bad_arguments_are_refused(call, error, parts):
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


def test_backward_needs_the_gradient_of_what_is_not_reduced():
    loss = nt.L1Loss(reduction="none")
    loss(zeros(2, 3), zeros(2, 3))
    with pytest.raises(ValueError, match=r"expected grad_output of shape \(2, 3\), .*got None"):
        loss.backward()
    with pytest.raises(ValueError, match=r"expected grad_output of shape \(2, 3\), .*got \(2,\)"):
        loss.backward(zeros(2))
    mean = nt.L1Loss()
    mean(zeros(2, 3), zeros(2, 3))
    with pytest.raises(TypeError, match="grad_output as a number"):
        mean.backward(zeros(2, 3))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_failed_forward_keeps_the_operands_of_the_last(case):
    x, target = case.data(4, 6, np.dtype("float32"))
    loss = case.ours()
    loss(x, target)
    before = loss.backward()
    with pytest.raises((ValueError, TypeError)):
        loss(x, target[:2])
    assert same_bits(loss.backward(), before)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_copies_and_pickles_are_equal_losses(case):
    x, target = case.data(4, 6, np.dtype("float32"))
    loss = case.ours("sum")
    expected = loss(x, target)
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), case.cls(**loss.options())):
        assert other.options() == loss.options()
        assert other(x, target) == expected
    with pytest.raises(RuntimeError, match="forward before backward"):
        pickle.loads(pickle.dumps(loss)).backward()


def test_repr_tells_what_is_no_default():
    assert repr(nt.HuberLoss()) == "HuberLoss()"
    assert repr(nt.HuberLoss("sum", 2)) == "HuberLoss(reduction='sum', delta=2.0)"
    assert repr(nt.CrossEntropyLoss([1, 2])) == "CrossEntropyLoss(weight=[1.0, 2.0])"


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_functions_are_those_of_the_classes(case, reduction):
    x, target = case.data(4, 6, np.dtype("float64"))
    weight = np.array([1.0, 2.0, 0.5, 0.0])
    loss = case.ours(reduction)
    value = loss(x, target, weight)
    grad = np.ones_like(value) if reduction == "none" else None
    forward, backward = (getattr(functional, f"{case.name}_{way}") for way in ("forward", "backward"))
    options = {"reduction": reduction, **case.options}
    assert same_bits(forward(x, target, sample_weight=weight, **options), value)
    out = np.empty_like(x)
    found = backward(x, target, sample_weight=weight, grad_output=grad, out=out, **options)
    assert found is out
    assert same_bits(found, loss.backward(grad))


@pytest.mark.parametrize("name", [name for name in losses.__all__ if name != "Loss"])
def test_defaults_and_options_are_those_of_torch(name):
    if name == "QuantileLoss":
        pytest.skip("not in torch")
    ours, theirs = getattr(nt, name)(), getattr(torch.nn, name)()
    for option, value in ours.options().items():
        assert getattr(theirs, option) == value


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_loss_takes_any_layout(name, layout, dtype):
    case = case_of(name, {}, "classes" if name == "cross_entropy" else "float")
    _, target = case.data(6, 4, dtype)
    laid_out = LAYOUTS[layout](normal((6, 4), dtype))
    if layout == "list":
        dtype = np.dtype("float64")
        target = target if target.dtype.kind == "i" else target.astype(dtype)
    loss = case.ours()
    expected = loss(contiguous(laid_out, dtype), target)
    grad = loss.backward()
    assert loss(laid_out, target) == expected
    assert same_bits(loss.backward(), grad)


@pytest.mark.parametrize("integers", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", ">i4"])
def test_classes_may_be_any_integers(integers):
    x, target = normal((9, 4), "float32"), np.arange(9) % 4
    expected = nt.CrossEntropyLoss()(x, target)
    assert nt.CrossEntropyLoss()(x, target.astype(integers)) == expected
    assert nt.CrossEntropyLoss()(x, torch.tensor(target)) == expected
    assert nt.CrossEntropyLoss()(x, target.tolist()) == expected


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 3, 4)], ids=str)
def test_classes_are_on_the_last_axis(shape, dtype):
    x = normal(shape, dtype)
    target = np.arange(x.size // 4).reshape(shape[:-1]) % 4
    loss = nt.CrossEntropyLoss(reduction="none")
    value = loss(x, target)
    assert value.shape == shape[:-1]
    flat = nt.CrossEntropyLoss(reduction="none")(x.reshape(-1, 4), target.reshape(-1))
    assert same_bits(value.reshape(-1), flat)
    assert loss.backward(np.ones(shape[:-1], dtype)).shape == shape


def test_elements_of_one_axis_may_have_weights_of_their_own(dtype):
    x, target, weight = normal(9, dtype, 1), normal(9, dtype, 2), np.abs(normal(9, dtype, 3))
    loss = nt.HuberLoss()
    columns = loss(x[:, None], target[:, None], weight)
    grad = loss.backward()
    assert loss(x, target, weight) == columns
    assert same_bits(loss.backward(), grad[:, 0])


def test_mean_of_ignored_samples_is_nan_and_their_gradient_zero(isa, dtype):
    x, loss = normal((5, 3), dtype), nt.CrossEntropyLoss(label_smoothing=0.1)
    x[0] = np.nan
    assert math.isnan(loss(x, np.full(5, -100)))
    assert same_bits(loss.backward(), np.zeros_like(x))


def test_mean_over_no_samples_is_nan(isa, dtype):
    x, loss = np.zeros((0, 3), dtype), nt.CrossEntropyLoss()
    assert math.isnan(loss(x, np.zeros(0, int)))
    assert loss.backward().shape == (0, 3)


def test_cross_entropy_survives_logits_that_overflow_exp(isa, dtype):
    big = np.finfo(dtype).max / 4
    x = np.array([[big, -big, 0.0], [-big, 0.0, 1.0]], dtype)
    loss = nt.CrossEntropyLoss(reduction="none")
    value = loss(x, [0, 1])
    theirs = torch.nn.functional.cross_entropy(torch.tensor(x), torch.tensor([0, 1]), reduction="none")
    np.testing.assert_allclose(value, theirs, rtol=4 * np.finfo(dtype).eps)
    assert np.isfinite(loss.backward(np.ones(2, dtype))).all()


@pytest.mark.parametrize("case", [case for case in CASES if not case.options], ids=str)
def test_losses_propagate_nan_and_infinity_as_torch(case, isa, dtype):
    for special in (np.nan, np.inf, -np.inf):
        x, target = case.data(3, 6, dtype)
        x[1, 2] = special
        loss = case.ours("none")
        value = loss(x, target)
        leaf = torch.tensor(x, requires_grad=True)
        theirs = case.torchs(dtype)(leaf, torch.tensor(target))
        theirs.backward(torch.ones_like(theirs))
        grad = loss.backward(np.ones_like(value))
        counted = target != -100 if case.target == "ignored" else slice(None)
        for kind in (np.isnan, np.isposinf, np.isneginf):
            assert np.array_equal(kind(value), kind(theirs.detach().numpy()))
            assert np.array_equal(kind(grad)[counted], kind(leaf.grad.numpy())[counted])
