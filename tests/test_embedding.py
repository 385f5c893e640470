"""Embedding and TabularEmbedding: parity with torch, padding, codes that are none."""

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import DLPackOnly, normal, same_bits


@pytest.mark.parametrize("padding", [None, 0, -1])
@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (0,)])
def test_embedding_parity(isa, dtype, shape, padding):
    layer = nt.Embedding(6, 4, padding, dtype=dtype, rng=0)
    twin = torch.nn.Embedding(6, 4, padding, dtype=getattr(torch, dtype.name))
    twin.load_state_dict({"weight": torch.from_numpy(layer.weight.copy())})
    x, grad = np.random.default_rng(1).integers(0, 6, shape), normal((*shape, 4), dtype, 2)
    theirs = twin(torch.tensor(x))
    theirs.backward(torch.tensor(grad))
    assert same_bits(layer(x), theirs.detach().numpy())
    assert layer.backward(grad).shape == shape
    bound = reference.tolerance(dtype, max(x.size, 1), np.abs(grad).sum())
    reference.assert_within(layer.grad_weight, twin.weight.grad.numpy(), bound)
    if padding is not None:
        assert not layer.weight[padding].any()


def test_embedding_starts_normal():
    weight = nt.Embedding(1000, 50, rng=0).weight
    assert abs(weight.mean()) < 6 / np.sqrt(weight.size)
    assert abs(weight.std() - 1) < 6 / np.sqrt(2 * weight.size)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64", "uint64"])
def test_embedding_takes_any_integer(kind):
    layer = nt.Embedding(3, 2, rng=0)
    x = np.array([[0, 2], [1, 1]], kind)
    assert same_bits(layer(x), layer.weight[[[0, 2], [1, 1]]])
    assert same_bits(layer(x.tolist()), layer(x))
    assert same_bits(layer(DLPackOnly(x)), layer(x))


def test_embedding_trains_with_its_layers():
    layer = nt.Embedding(3, 2, rng=0)
    before = layer.weight.copy()
    layer(np.array([1, 1]))
    layer.backward(np.ones((2, 2), "float32"))
    layer.step(0.5)
    assert same_bits(layer.weight, before - np.array([[0], [1], [0]], "float32"))


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: nt.Embedding(0, 2), ValueError, "num_embeddings"),
        (lambda: nt.Embedding(2, 1.5), TypeError, "embedding_dim"),
        (lambda: nt.Embedding(2, 2, 2), ValueError, "padding_idx"),
        (lambda: nt.Embedding(2, 2)([2]), ValueError, "from 0 to 1, got 2"),
        (lambda: nt.Embedding(2, 2)([-1]), ValueError, "from 0 to 1, got -1"),
        (lambda: nt.Embedding(2, 2)([0.0]), TypeError, "integers"),
        (lambda: nt.Embedding(2, 2).backward([[0.0, 0.0]]), RuntimeError, "forward"),
        (lambda: nt.TabularEmbedding(2, {2: (3, 1)}), ValueError, "columns from 0 to 1"),
        (lambda: nt.TabularEmbedding(2, {0: (3, 0)}), ValueError, "embedding_dim"),
        (lambda: nt.TabularEmbedding(2, {0: (3, 1)})([[3.0, 0.0]]), ValueError, "0 to 2 in column 0, got 3"),
        (lambda: nt.TabularEmbedding(2, {0: (3, 1)})([[0.5, 0.0]]), ValueError, "column 0, got 0.5"),
        (lambda: nt.TabularEmbedding(2, {0: (3, 1)})([[np.nan, 0.0]]), ValueError, "column 0, got nan"),
        (lambda: nt.TabularEmbedding(2, {0: (3, 1)})([[0.0]]), ValueError, r"\(\.\.\., 2\)"),
    ],
)
def test_embedding_errors_say_what_is_wrong(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_tabular_embedding_is_numbers_then_embeddings(dtype):
    layer = nt.TabularEmbedding(4, {3: (5, 2), 1: (3, 3)}, dtype=dtype, rng=0)
    x = np.array([[0.5, 2, -1, 4], [1.5, 0, 3, 4]], dtype)
    first, second = layer.embeddings
    expected = np.concatenate([x[:, [0, 2]], first.weight[[2, 0]], second.weight[[4, 4]]], axis=1)
    assert (layer.in_features, layer.out_features) == (4, 7)
    assert same_bits(layer(x), expected)
    assert same_bits(layer(x[0]), expected[0])
    layer(x)
    grad = normal((2, 7), dtype)
    grad_input = layer.backward(grad)
    assert same_bits(grad_input[:, [0, 2]], grad[:, :2])
    assert not grad_input[:, [1, 3]].any()
    assert same_bits(first.grad_weight[[2, 1, 0]], np.array([grad[0, 2:5], [0] * 3, grad[1, 2:5]], dtype))
    assert same_bits(second.grad_weight[4], (grad[0, 5:] + grad[1, 5:]).astype(dtype))


def test_tabular_embedding_names_are_those_of_a_module_list():
    layer = nt.TabularEmbedding(3, {0: (2, 2), 2: (3, 1)})
    assert list(layer.state_dict()) == ["embeddings.0.weight", "embeddings.1.weight"]
    assert len(layer.parameters()) == 2


def test_tabular_embedding_trains(dtype):
    layer = nt.TabularEmbedding(2, {1: (4, 3)}, dtype=dtype, rng=0)
    model = nt.Sequential(layer, nt.Linear(4, 1, dtype=dtype, rng=1))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.Adam(model.parameters(), lr=0.1))
    codes = np.arange(64) % 4
    x = np.stack([normal(64, dtype), codes.astype(dtype)], axis=1)
    target = np.array([1, -1, 2, 0], dtype)[codes][:, None]
    history = trainer.fit(x, target, epochs=40, batch_size=16, rng=0)
    assert history.loss[-1] < 0.01 * history.loss[0]
    before = model.state_dict()
    x[5, 1] = 4
    with pytest.raises(ValueError, match="column 1, got 4"):
        trainer.step(x, target)
    assert all(same_bits(value, before[name]) for name, value in model.state_dict().items())
