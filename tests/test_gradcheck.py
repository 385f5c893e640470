"""nt.gradcheck: right gradients pass, each wrong one is named."""

import ne_torch as nt
import numpy as np
import pytest

from samples import normal, same_bits


class Scale(nt.Layer):
    """y = x^3 * scale, with gradients that a test may spoil."""

    def __init__(self, width, spoil=None):
        self.scale, self._spoil = nt.Parameter(normal((width,), "float64", 7) + 3), spoil

    def named_parameters(self):
        return {"scale": self.scale}

    def forward(self, x):
        self.x = np.array(x)
        return self.x**3 * self.scale.data

    def backward(self, grad_output):
        self.scale.grad = (grad_output * self.x**3).sum(0)
        grad_input = 3 * self.x**2 * self.scale.data * grad_output
        if self._spoil:
            self._spoil(grad_input, self.scale.grad)
        return grad_input


def test_gradcheck_passes_right_gradients():
    model = nt.Sequential(nt.Linear(4, 5, dtype="float64", rng=0), nt.ReLU(), Scale(5), nt.Softmax())
    assert nt.gradcheck(model, normal((3, 4), "float64", 1))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_gradcheck_passes_whatever_the_scale(scale):
    linear = nt.Linear(40, 7, dtype="float64", rng=0)
    linear.weight *= scale
    assert nt.gradcheck(linear, scale * normal((5, 40), "float64", 1))


@pytest.mark.parametrize("error", [1e-4, 1.0, np.nan])
def test_gradcheck_names_the_first_wrong_element(error):
    def spoil_input(grad_input, grad_scale):
        grad_input[1, 2] += error * abs(grad_input[1, 2])

    def spoil_scale(grad_input, grad_scale):
        grad_scale[1:] += error * abs(grad_scale[1:])

    x = normal((3, 4), "float64", 1)
    with pytest.raises(AssertionError, match=r"gradcheck: Scale: x\[1, 2\]: expected the gradient .* got"):
        nt.gradcheck(Scale(4, spoil_input), x)
    with pytest.raises(AssertionError, match=r"gradcheck: Scale: scale\[1\]: expected"):
        nt.gradcheck(Scale(4, spoil_scale), x)
    with pytest.raises(AssertionError, match=r"gradcheck: Sequential: 1.scale\[1\]: expected"):
        nt.gradcheck(nt.Sequential(nt.Linear(4, 4, dtype="float64"), Scale(4, spoil_scale)), x)
    assert not nt.gradcheck(Scale(4, spoil_input), x, raise_exception=False)


def test_gradcheck_finds_what_torch_finds():
    import torch

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output * ctx.saved_tensors[0].cos() * 1.001

    class Ours(nt.Layer):
        def forward(self, x):
            self.x = np.array(x)
            return np.sin(x)

        def backward(self, grad_output):
            return grad_output * np.cos(self.x) * 1.001

    x = normal((3, 4), "float64", 1)
    theirs = torch.from_numpy(x).requires_grad_()
    assert not torch.autograd.gradcheck(Wrong.apply, theirs, rtol=1e-6, raise_exception=False)
    assert not nt.gradcheck(Ours(), x, raise_exception=False)


def test_gradcheck_of_losses():
    x, target = normal((3, 4), "float64", 1), normal((3, 4), "float64", 2)
    assert nt.gradcheck(nt.MSELoss(), x, target)

    class Half(nt.MSELoss):
        def backward(self):
            return super().backward() / 2

    with pytest.raises(AssertionError, match=r"gradcheck: Half: x\[0, 0\]"):
        nt.gradcheck(Half(), x, target)


def test_gradcheck_leaves_everything_as_it_was():
    model, x = nt.Sequential(nt.Linear(4, 5, dtype="float64", rng=0)), normal((3, 4), "float64", 1)
    model[0].forward(x)
    model[0].backward(np.ones((3, 5)))
    before, grad, copy = model.state_dict(), model[0].grad_weight, x.copy()
    nt.gradcheck(model, x)
    assert all(same_bits(array, before[name]) for name, array in model.state_dict().items())
    assert model[0].grad_weight is grad
    assert same_bits(x, copy)


def test_gradcheck_at_a_kink_fails():
    assert not nt.gradcheck(nt.ReLU(), np.zeros(3), raise_exception=False)


class Random(nt.Layer):
    def forward(self, x):
        return x * np.random.default_rng().random()


class Transposed(nt.Layer):
    def forward(self, x):
        return np.array(x)

    def backward(self, grad_output):
        return grad_output.T


@pytest.mark.parametrize(
    ("layer", "dtype", "error", "says"),
    [
        (nt.ReLU(), "float32", TypeError, "expected x of dtype float64, got float32"),
        (nt.Linear(3, 2), "float64", TypeError, "expected weight of dtype float64, got float32"),
        (Random(), "float64", ValueError, "expected two forward passes to agree"),
        (Transposed(), "float64", ValueError, r"x: expected a gradient of shape \(2, 3\), got \(3, 2\)"),
    ],
)
def test_gradcheck_refuses_what_it_cannot_check(layer, dtype, error, says):
    with pytest.raises(error, match=says):
        nt.gradcheck(layer, normal((2, 3), dtype))
