"""Models from torch and back: equal outputs, every weight to the bit, and what is refused."""

import ne_torch as nt
import numpy as np
import pytest
import torch
from torch import nn

from public_names import CLASSES
from samples import normal, same_bits

WIDTH = 6
LAYERS = {
    "Linear": lambda d: nn.Linear(WIDTH, 4, dtype=d),
    "Linear without bias": lambda d: nn.Linear(WIDTH, 4, bias=False, dtype=d),
    "LayerNorm": lambda d: nn.LayerNorm(WIDTH, eps=0.1, dtype=d),
    "LayerNorm without bias": lambda d: nn.LayerNorm(WIDTH, bias=False, dtype=d),
    "BatchNorm1d": lambda d: nn.BatchNorm1d(WIDTH, eps=0.01, momentum=0.3, dtype=d),
    "BatchNorm1d, average": lambda d: nn.BatchNorm1d(WIDTH, momentum=None, affine=False, dtype=d),
    "Dropout": lambda d: nn.Dropout(0.3),
    "Softmax": lambda d: nn.Softmax(dim=-1),
    "Softmax of a batch": lambda d: nn.Softmax(dim=1),
    "LogSoftmax": lambda d: nn.LogSoftmax(dim=-1),
    "ELU": lambda d: nn.ELU(0.7),
    "GELU": lambda d: nn.GELU(),
    "GELU by tanh": lambda d: nn.GELU("tanh"),
    "Hardtanh": lambda d: nn.Hardtanh(-0.5, 0.25),
    "Identity": lambda d: nn.Identity(),
    "LeakyReLU": lambda d: nn.LeakyReLU(0.3),
    "ReLU": lambda d: nn.ReLU(),
    "ReLU6": lambda d: nn.ReLU6(),
    "SELU": lambda d: nn.SELU(),
    "SiLU": lambda d: nn.SiLU(),
    "Sigmoid": lambda d: nn.Sigmoid(),
    "Softplus": lambda d: nn.Softplus(2.0, 5.0),
    "Tanh": lambda d: nn.Tanh(),
}


class Net(nn.Module):
    """What people write: layers as attributes, functions between them."""

    def __init__(self, dtype):
        super().__init__()
        self.first = nn.Linear(WIDTH, 8, dtype=dtype)
        self.norm = nn.BatchNorm1d(8, dtype=dtype)
        self.block = nn.Sequential(nn.Linear(8, 8, dtype=dtype), nn.Sequential(nn.GELU(), nn.Dropout(0.5)))
        self.last = nn.Linear(8, 3, dtype=dtype)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        x = nn.functional.relu(self.block(x)).tanh()
        return torch.sigmoid(self.last(x))


def filled(module):
    """Give a module numbers that no constructor gives."""
    for i, tensor in enumerate(module.state_dict().values()):
        if tensor.dtype.is_floating_point:
            tensor.copy_(torch.from_numpy(np.abs(normal(tuple(tensor.shape), "float64", i)) + 0.25))
        else:
            tensor.fill_(i + 3)
    return module


def torch_dtype(dtype):
    return getattr(torch, dtype.name)


def assert_close(ours, theirs, dtype):
    # Sums of at most 8 terms of some units, and functions of a few ulp in either library.
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=64 * np.finfo(dtype).eps)


def assert_same_state(ours, theirs):
    expected = {name: tensor.numpy() for name, tensor in theirs.items()}
    assert list(ours) == list(expected)
    for name, value in ours.items():
        assert same_bits(value, expected[name]), name


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_comes_and_goes(name, dtype):
    theirs = filled(LAYERS[name](torch_dtype(dtype))).eval()
    ours = nt.from_torch(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert not ours.training
    assert_same_state(ours.state_dict(), theirs.state_dict())
    x = normal((5, WIDTH), dtype)
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)
    back = nt.to_torch(ours)
    assert type(back) is type(theirs)
    assert not back.training
    assert_same_state(ours.state_dict(), back.state_dict())
    assert torch.equal(back(torch.from_numpy(x)), theirs(torch.from_numpy(x)))


def test_every_layer_of_both_is_in_the_table():
    ours = {name for name, kind in CLASSES.items() if issubclass(kind, nt.Layer) and hasattr(nn, name)}
    assert {type(make(torch.float32)).__name__ for make in LAYERS.values()} == ours - {
        "Embedding",
        "Sequential",
    }


def test_softmax_over_axis_1_is_over_the_last_of_two():
    x = torch.from_numpy(normal((2, 3, 4), "float32"))
    ours = nt.from_torch(nn.Softmax(dim=1))
    assert_close(ours(x[0]), nn.Softmax(dim=1)(x[0]), np.dtype("float32"))
    assert_close(ours(x), nn.Softmax(dim=-1)(x), np.dtype("float32"))  # as from_torch says of more axes


def test_layers_without_numbers_take_the_dtype_of_the_others(dtype):
    theirs = nn.Sequential(
        nn.LayerNorm(WIDTH, elementwise_affine=False),
        nn.BatchNorm1d(WIDTH, affine=False, track_running_stats=False),
        nn.Linear(WIDTH, 2, dtype=torch_dtype(dtype)),
    )
    ours = nt.from_torch(theirs)
    x = normal((5, WIDTH), dtype)
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)
    assert str(nt.to_torch(ours)) == str(theirs)


def test_embedding_comes_and_goes(dtype):
    theirs = nn.Embedding(9, 4, padding_idx=2, dtype=torch_dtype(dtype))
    ours = nt.from_torch(theirs)
    codes = np.array([[0, 8], [2, 5]])
    assert same_bits(ours(codes), theirs(torch.from_numpy(codes)).detach().numpy())
    back = nt.to_torch(ours)
    assert back.padding_idx == 2
    assert_same_state(ours.state_dict(), back.state_dict())


def test_sequentials_keep_their_names(dtype):
    d = torch_dtype(dtype)
    theirs = nn.Sequential(nn.Linear(WIDTH, 8, dtype=d), nn.Sequential(nn.Tanh(), nn.Linear(8, 2, dtype=d)))
    ours = nt.from_torch(theirs)
    assert ours.training
    assert_same_state(ours.state_dict(), theirs.state_dict())
    back = nt.to_torch(ours)
    assert str(back) == str(theirs)
    assert_same_state(ours.state_dict(), back.state_dict())


def test_a_module_whose_forward_is_a_chain(dtype):
    theirs = filled(Net(torch_dtype(dtype))).eval()
    ours = nt.from_torch(theirs)
    kinds = "Linear BatchNorm1d ReLU Linear GELU Dropout ReLU Tanh Linear Sigmoid"
    assert " ".join(type(layer).__name__ for layer in ours) == kinds
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    assert all(same_bits(a, b.numpy()) for a, b in pairs)
    x = normal((5, WIDTH), dtype)
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)


def test_weights_are_copies():
    theirs = nn.Linear(2, 2)
    ours = nt.from_torch(theirs)
    before = ours.weight.copy()
    with torch.no_grad():
        theirs.weight.add_(1)
    back = nt.to_torch(ours)
    with torch.no_grad():
        back.weight.add_(1)
    assert same_bits(ours.weight, before)


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        return self.a(x) * x


class Twice(Branches):
    def forward(self, x):
        return self.a(self.a(x))


class Decides(Branches):
    def forward(self, x):
        return self.a(x) if x.sum() > 0 else x


def relu(x):
    """Somebody's, no ReLU."""
    return 2 * x


torch.fx.wrap("relu")


class Namesake(Branches):
    def forward(self, x):
        return relu(self.a(x))


class InPlace(Branches):
    def forward(self, x):
        return nn.functional.relu(self.a(x), inplace=True)


def changed(change):
    module = nn.Linear(2, 2)
    change(module)
    return nn.Sequential(nn.ReLU(), module)


def test_a_function_in_place_is_the_layer(dtype):
    theirs = InPlace().to(torch_dtype(dtype))
    x = normal((5, 2), dtype)
    ours = nt.from_torch(theirs)
    assert [type(layer) for layer in ours] == [nt.Linear, nt.ReLU]
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)


SHARED = nn.Linear(2, 2)
REFUSED = [
    (nn.Sequential(nn.ReLU(), nn.Conv1d(1, 1, 1)), TypeError, "Conv1d as the module.1"),
    (nn.Sequential(nn.Softmax(dim=0)), TypeError, "dim=0 as the module.0"),
    (nn.LayerNorm((2, 3)), TypeError, r"\(2, 3\) as the module"),
    (nn.Linear(2, 2, dtype=torch.bfloat16), TypeError, "bfloat16 in the module"),
    (nn.Embedding(3, 2, max_norm=1.0), TypeError, "without max_norm"),
    (Branches(), TypeError, "'mul' otherwise in the module"),
    (Twice(), ValueError, "one of them twice in the module"),
    (Decides(), TypeError, "Decides as the module"),
    (nn.Sequential(SHARED, nn.Sequential(SHARED)), ValueError, "one of them twice"),
    ("net.pt", TypeError, "got str"),
    (Namesake(), TypeError, "'relu' otherwise in the module"),
    (
        changed(lambda m: m.register_forward_hook(lambda *_: None)),
        TypeError,
        "Linear with one as the module.1;",
    ),
    (
        changed(lambda m: m.register_forward_pre_hook(lambda *_: None)),
        TypeError,
        "Linear with one as the module.1;",
    ),
    (changed(lambda m: setattr(m, "forward", abs)), TypeError, "Linear with one as the module.1;"),
]


@pytest.mark.parametrize(("module", "kind", "message"), REFUSED, ids=range(len(REFUSED)))
def test_from_torch_names_what_it_does_not_support(module, kind, message):
    with pytest.raises(kind, match=rf"(?s)from_torch.*{message}"):
        nt.from_torch(module)


def test_to_torch_names_what_torch_does_not_have():
    class Own(nt.ReLU):
        pass

    with pytest.raises(TypeError, match=r"to_torch: .* got TabularEmbedding"):
        nt.to_torch(nt.Sequential(nt.TabularEmbedding(2, {0: (3, 2)})))
    with pytest.raises(TypeError, match=r"to_torch: .* got Own as layer 1 of the model"):
        nt.to_torch(nt.Sequential(nt.ReLU(), Own()))
