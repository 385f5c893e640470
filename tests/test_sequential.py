"""Sequential: a list of layers that computes as torch's, exchanges its state with it, and is a list."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from error_bounds import Arithmetic, Bound, gradients
from networks import make
from samples import normal, same_bits


@pytest.mark.parametrize("sizes", [(3, 2), (4, 6, 2), (7, 33, 16, 5), (784, 128, 10)], ids=str)
def test_sequential_parity(isa, dtype, sizes):
    model, twin = make(sizes, dtype)
    x, target = normal((11, sizes[0]), dtype, 1), normal((11, sizes[-1]), dtype, 2)
    leaf = torch.tensor(x, requires_grad=True)
    y = twin(leaf)
    torch.nn.functional.mse_loss(y, torch.tensor(target)).backward()
    ours, loss = model(x), nt.MSELoss()
    loss(ours, target)
    model.backward(loss.backward())
    layers = [tuple(Bound.exact(p.data) for p in layer.parameters()) for layer in model[::2]]
    bounds = [bound for layer in gradients(Arithmetic(dtype), layers, x, target)[1] for bound in layer]
    for parameter, their, bound in zip(model.parameters(), twin.parameters(), bounds, strict=True):
        reference.assert_within(parameter.grad, bound.value, bound.radius)
        reference.assert_within(parameter.grad, their.grad.numpy(), 2 * bound.radius)


def test_sequential_gradients_match_finite_differences(isa):
    # the loss is quadratic in each parameter and input where no ReLU changes sides: exact, but for rounding
    model, _ = make((4, 6, 5, 2), np.dtype("float64"))
    x, target, mse = normal((3, 4), "float64", 1), normal((3, 2), "float64", 2), nt.MSELoss()
    h = 2.0**-12
    mse(model(x), target)
    grad_input = model.backward(mse.backward())
    pairs = [(x, grad_input), *((p.data, p.grad.copy()) for p in model.parameters())]
    sides = [np.sign(model[:i](x)) for i in (1, 3)]
    magnitude = np.float64(mse(np.abs(model(x)) + 10, target))
    for array, grad in pairs:

        def value():
            assert all(np.array_equal(np.sign(model[:i](x)), s) for i, s in zip((1, 3), sides, strict=True))
            return mse(model(x), target)

        difference = reference.central_difference(value, array, h)
        reference.assert_within(grad, difference, reference.tolerance("float64", 50, magnitude) / h)


def test_sequential_backward_is_the_chain_of_its_layers(dtype):
    model, _ = make((5, 7, 3), dtype)
    x, g = normal((4, 5), dtype, 1), normal((4, 3), dtype, 2)
    y = model(x)
    grad = model.backward(g)
    assert same_bits(y, model[2](model[1](model[0](x))))
    assert same_bits(grad, model[0].backward(model[1].backward(model[2].backward(g))))


def test_sequential_state_moves_to_torch_and_back_to_the_bit(dtype):
    model, twin = make((5, 7, 3), dtype)
    assert list(model.state_dict()) == list(twin.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for name, tensor in twin.state_dict().items():
        assert same_bits(tensor.numpy(), model.state_dict()[name])
    other, _ = make((5, 7, 3), dtype, seed=10)
    arrays = [parameter.data for parameter in other.parameters()]
    other.load_state_dict(twin.state_dict())
    for parameter, array, expected in zip(other.parameters(), arrays, model.parameters(), strict=True):
        assert parameter.data is array
        assert same_bits(array, expected.data)


def test_sequential_state_is_a_copy():
    model, _ = make((2, 2), np.dtype("float32"))
    model.state_dict()["0.weight"][...] = 7
    assert (model[0].weight != 7).all()


def test_sequential_step_is_that_of_its_layers(dtype):
    model, _ = make((5, 7, 3), dtype)
    expected = copy.deepcopy(model)
    x, g = normal((4, 5), dtype, 1), normal((4, 3), dtype, 2)
    for net in (model, expected):
        net(x)
        net.backward(g)
    model.step(0.25)
    for layer in expected[::2]:
        layer.step(0.25)
    for name, value in expected.state_dict().items():
        assert same_bits(model.state_dict()[name], value)


def test_sequential_is_a_list():
    a, b, c = nt.Linear(2, 3, rng=0), nt.ReLU(), nt.Linear(3, 2, rng=1)
    model = nt.Sequential(a, c)
    model.insert(1, b)
    assert list(model) == [a, b, c]
    assert len(model) == 3
    assert model[-1] is c
    assert model.index(b) == 1
    assert isinstance(model[:2], nt.Sequential)
    assert list(model[:2]) == [a, b]
    assert model.pop() is c
    model += [c]
    model[1] = softmax = nt.Softmax()
    model[2:] = [c, b]
    assert list(model) == [a, softmax, c, b]
    del model[1:3]
    assert list(model) == [a, b]


def test_sequential_nests(dtype):
    flat, _ = make((5, 7, 3), dtype)
    nested = nt.Sequential(nt.Sequential(flat[0], flat[1]), flat[2])
    x = normal((4, 5), dtype)
    assert same_bits(nested(x), flat(x))
    assert list(nested.state_dict()) == ["0.0.weight", "0.0.bias", "1.weight", "1.bias"]


def test_sequential_takes_anything_with_forward_and_backward():
    class Double:
        def forward(self, x):
            return 2 * x

        def backward(self, grad_output):
            return 2 * grad_output

    class Stepping(Double):
        rate = None

        def step(self, learning_rate):
            self.rate = learning_rate

    model = nt.Sequential(Double(), nt.Linear(2, 1, rng=0))
    x = normal((3, 2), "float32")
    assert same_bits(model(x), model[1](2 * x))
    g = np.ones((3, 1), "float32")
    assert same_bits(model.backward(g), 2 * model[1].backward(g))
    model[0] = Stepping()
    model.step(0.1)
    assert model[0].rate == 0.1
    assert list(model.state_dict()) == ["1.weight", "1.bias"]


def refused_with_a_layer_twice(*layers):
    """Assert that no gradient comes from layers of which one, which keeps one input, stands in two places."""

    def train():
        model = nt.Sequential(*layers)
        model.backward(model(normal((4, 3), "float32")))

    with pytest.raises(ValueError, match="twice"):
        train()


@pytest.mark.parametrize("layer", [nt.Linear(3, 3, rng=0), nt.ReLU(), nt.Softmax()], ids=repr)
def test_sequential_refuses_a_layer_twice(layer):
    refused_with_a_layer_twice(layer, nt.Linear(3, 3, rng=1), layer)


def test_sequential_refuses_a_layer_twice_in_nested_models():
    relu = nt.ReLU()
    refused_with_a_layer_twice(nt.Sequential(relu, nt.Linear(3, 3, rng=1)), relu)


def test_sequential_lets_layers_change_places():
    layers = [nt.Linear(3, 3, rng=0), nt.ReLU(), nt.Softmax()]
    model = nt.Sequential(*layers)
    model[0], model[1] = model[1], model[0]
    assert list(model) == [layers[1], layers[0], layers[2]]
    model.reverse()
    assert list(model) == [layers[2], layers[0], layers[1]]


def test_sequential_survives_copy_and_pickle(dtype):
    model, _ = make((5, 7, 3), dtype)
    x = normal((4, 5), dtype)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same_bits(twin(x), model(x))
        twin[0].weight[...] = 0
        assert (model[0].weight != 0).any()


def test_sequential_repr_shows_every_layer():
    model = nt.Sequential(nt.Linear(2, 1, rng=0), nt.Sequential(nt.ReLU(), nt.Softmax()))
    assert repr(model) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True, dtype=float32)\n"
        "  (1): Sequential(\n    (0): ReLU()\n    (1): Softmax()\n  )\n)"
    )
    assert repr(nt.Sequential()) == "Sequential()"
