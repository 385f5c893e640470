"""Residual connections from torch and back: those of to_torch, and as people write them."""

import io
import pickle

import ne_torch as nt
import pytest
import torch
from torch import nn

from samples import normal
from test_torch_bridge import WIDTH, assert_close, assert_same_state, filled, torch_dtype


def linear(dtype):
    return nn.Linear(WIDTH, WIDTH, dtype=torch_dtype(dtype))


def block(dtype, seed=0):
    return nt.Residual(
        nt.LayerNorm(WIDTH, dtype=dtype), nt.Linear(WIDTH, WIDTH, dtype=dtype, rng=seed), nt.Tanh()
    )


def test_residuals_come_and_go(dtype):
    ours = nt.Sequential(block(dtype), nt.Residual(nt.Sequential(block(dtype, 1), nt.ReLU())), nt.Softmax())
    theirs = nt.to_torch(ours.eval())
    x = normal((5, WIDTH), dtype)
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)
    assert_same_state(ours.state_dict(), theirs.state_dict())
    back = nt.from_torch(theirs)
    assert repr(back) == repr(ours)
    assert not back[1][0].training
    assert_same_state(back.state_dict(), theirs.state_dict())


def test_a_residual_of_torch_is_saved_and_pickled():
    theirs = nt.to_torch(block("float32"))
    x = torch.from_numpy(normal((5, WIDTH), "float32"))
    file = io.BytesIO()
    torch.save(theirs, file)
    file.seek(0)
    for twin in (pickle.loads(pickle.dumps(theirs)), torch.load(file, weights_only=False)):
        assert torch.equal(twin(x), theirs(x))


class Documented(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def test_the_class_of_the_documentation_is_a_residual(dtype):
    theirs = nn.Sequential(Documented(linear(dtype), nn.Tanh()))
    ours = nt.from_torch(theirs)
    assert type(ours[0]) is nt.Residual
    assert_same_state(ours.state_dict(), theirs.state_dict())


class Blocks(nn.Module):
    """The spellings that people use, one after the other, and one in another."""

    def __init__(self, dtype):
        super().__init__()
        self.a, self.b, self.c, self.d, self.e = (linear(dtype) for _ in range(5))
        self.f = nn.Sequential(linear(dtype), nn.ReLU(inplace=True), linear(dtype))

    def forward(self, x):
        x = x + self.a(x)
        x = torch.add(torch.relu(self.b(x)), x)
        inner = self.c(x)
        x = x.add(self.e(inner + self.d(inner)))
        out = self.f(x)
        out += x
        return torch.sigmoid(out)


def test_residuals_as_people_write_them(dtype):
    theirs = filled(Blocks(dtype)).eval()
    for tensor in theirs.parameters():
        tensor.data.mul_(0.05)
    ours = nt.from_torch(theirs)
    assert [type(layer).__name__ for layer in ours] == ["Residual"] * 4 + ["Sigmoid"]
    assert [type(layer).__name__ for layer in ours[2]] == ["Linear", "Residual", "Linear"]
    x = normal((5, WIDTH), dtype)
    assert_close(ours(x), theirs(torch.from_numpy(x)), dtype)


class OverItsInput(nn.Module):
    """What is added is no longer what came in."""

    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Dropout(0.0), nn.ReLU(inplace=True))

    def forward(self, x):
        return x + self.f(x)


class Scaled(OverItsInput):
    def forward(self, x):
        return torch.add(x, self.f(x), alpha=2)


class OfAnother(OverItsInput):
    def __init__(self):
        super().__init__()
        self.f, self.g = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x):
        return self.f(x) + self.g(x)


class UsedElsewhere(OfAnother):
    def forward(self, x):
        y = self.g(x + self.f(x))
        return y, x


class OfNothing(OverItsInput):
    def forward(self, x):
        return x + x


REFUSED = [OverItsInput, Scaled, OfAnother, UsedElsewhere, OfNothing]


@pytest.mark.parametrize("kind", REFUSED)
def test_other_sums_are_refused(kind):
    with pytest.raises(TypeError, match=r"from_torch: expected a forward that passes its input .* otherwise"):
        nt.from_torch(kind())
