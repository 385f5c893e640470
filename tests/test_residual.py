"""Residual: y = x + f(x), with torch's names and gradients."""

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import normal, same_bits


class TorchResidual(torch.nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def make(dtype):
    inner = nt.Residual(nt.Linear(5, 5, dtype=dtype, rng=2), nt.ReLU())
    model = nt.Sequential(
        nt.Residual(
            nt.Linear(5, 7, dtype=dtype, rng=0), nt.ReLU(), nt.Linear(7, 5, dtype=dtype, rng=1), inner
        ),
        nt.Linear(5, 2, dtype=dtype, rng=3),
    )
    torch_dtype = getattr(torch, np.dtype(dtype).name)
    linear = lambda i, o: torch.nn.Linear(i, o, dtype=torch_dtype)  # noqa: E731
    twin = torch.nn.Sequential(
        TorchResidual(
            linear(5, 7), torch.nn.ReLU(), linear(7, 5), TorchResidual(linear(5, 5), torch.nn.ReLU())
        ),
        linear(5, 2),
    )
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in model.state_dict().items()})
    return model, twin


def test_residual_parity(isa, dtype):
    model, twin = make(dtype)
    x, grad = normal((6, 5), dtype, 1), normal((6, 2), dtype, 2)
    leaf = torch.tensor(x, requires_grad=True)
    theirs = twin(leaf)
    theirs.backward(torch.tensor(grad))
    y, grad_input = model(x), model.backward(grad)
    # chains of at most 7 in four layers, forward and backward, over numbers below 30
    bound = reference.tolerance(dtype, 2 * 4 * (7 + 2), 30.0)
    reference.assert_within(y, theirs.detach().numpy(), bound)
    reference.assert_within(grad_input, leaf.grad.numpy(), bound)
    for name, parameter in twin.named_parameters():
        ours = model.named_parameters()[name].grad
        reference.assert_within(ours, parameter.grad.numpy(), 6 * bound)


def test_residual_is_its_definition(isa, dtype):
    block = nt.Residual(nt.Linear(3, 3, dtype=dtype, rng=0), nt.ReLU())
    x, g = normal((4, 3), dtype), normal((4, 3), dtype, 1)
    assert same_bits(block(x), x + block[1](block[0](x)))
    assert same_bits(block.backward(g), g + block[0].backward(block[1].backward(g)))


def test_empty_residual_doubles(dtype):
    x = normal((2, 3), dtype)
    block = nt.Residual()
    assert same_bits(block(x), x + x)
    assert same_bits(block.backward(x), x + x)


def test_residual_refuses_another_shape(dtype):
    with pytest.raises(ValueError, match=r"shape of their input, \(2, 3\), got \(2, 1\)"):
        nt.Residual(nt.Linear(3, 1, dtype=dtype))(normal((2, 3), dtype))


def test_residual_is_a_list_with_names(dtype):
    model, _ = make(dtype)
    assert list(model.state_dict())[:2] == ["0.0.weight", "0.0.bias"]
    assert "0.3.0.weight" in model.state_dict()
    assert repr(model[0][3]).startswith("Residual(\n  (0): Linear")
    assert isinstance(model[0][3], nt.Sequential)


def test_mode_reaches_into_a_residual():
    block = nt.Residual(nt.Dropout(0.5, rng=0))
    x = np.ones((3, 4), "float32")
    assert same_bits(block.eval()(x), x + x)


def test_residual_trains_layer_by_layer_as_by_hand(dtype):
    model, twin = make(dtype)[0], make(dtype)[0]
    x, target, loss = normal((6, 5), dtype, 1), normal((6, 2), dtype, 2), nt.MSELoss()
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    expected = loss(twin(x), target)
    twin.backward(loss.backward())
    twin.step(0.1)
    assert trainer.step(x, target) == expected
    pairs = zip(model.parameters(), twin.parameters(), strict=True)
    assert all(same_bits(a.data, b.data) for a, b in pairs)
