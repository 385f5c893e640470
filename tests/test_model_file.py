"""Model files: every layer there and back, readable by others; damaged ones refused."""

import json
import os
import tracemalloc

import ne_torch as nt
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from samples import normal, same_bits

ACTIVATIONS = [
    *(nt.ELU(0.5), nt.GELU(), nt.GELU("tanh"), nt.Hardtanh(-2.0, 0.5), nt.Identity(), nt.LeakyReLU(0.25)),
    *(nt.LogSoftmax(), nt.ReLU(), nt.ReLU6(), nt.SELU(), nt.SiLU(), nt.Sigmoid(), nt.Softmax()),
    *(nt.Softplus(2.0, 3.0), nt.Tanh()),
]


def every_layer(dtype="float32"):
    """A model with every kind of layer but Embedding, which takes integers."""
    return nt.Sequential(
        nt.TabularEmbedding(5, {1: (7, 3), 3: (4, 2)}, dtype=dtype, rng=0),
        nt.Linear(8, 6, dtype=dtype, rng=1),
        nt.BatchNorm1d(6, eps=1e-3, momentum=None, dtype=dtype),
        nt.Residual(nt.LayerNorm(6, bias=False, dtype=dtype), nt.Sequential(nt.Dropout(0.3, rng=2))),
        nt.LayerNorm(6, elementwise_affine=False, dtype=dtype),
        nt.BatchNorm1d(6, affine=False, track_running_stats=False, dtype=dtype),
        *ACTIVATIONS,
        nt.Linear(6, 3, bias=False, dtype=dtype, rng=3),
    )


def inputs(dtype):
    x = np.linspace(-1, 1, 20, dtype=dtype).reshape(4, 5)
    x[:, 1], x[:, 3] = [0, 6, 3, 1], [3, 0, 1, 2]
    return x


def assert_same(a, b):
    assert repr(a) == repr(b)
    ours, theirs = a.state_dict(), b.state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert same_bits(value, theirs[name]), name


def test_every_layer_there_and_back(dtype, tmp_path):
    model = every_layer(dtype)
    model(inputs(dtype))  # running statistics
    model.eval()
    model[2].train()
    model.save(tmp_path / "model")
    again = nt.load(tmp_path / "model")
    assert_same(again, model)
    assert [layer.training for layer in again] == [layer.training for layer in model]
    assert not again.training
    assert same_bits(again(inputs(dtype)), model(inputs(dtype)))


def test_a_single_layer_there_and_back(dtype, tmp_path):
    for layer in (
        nt.Embedding(5, 2, padding_idx=1, dtype=dtype, rng=0),
        nt.Linear(3, 2, dtype=dtype),
        nt.Tanh(),
    ):
        layer.save(tmp_path / "model")
        assert_same(nt.load(tmp_path / "model"), layer)
        assert type(nt.load(tmp_path / "model")) is type(layer)


def test_anybody_reads_the_weights(tmp_path):
    model = nt.Sequential(nt.Linear(3, 2, rng=0))
    model.save(tmp_path / "model")
    tensors = safetensors.numpy.load_file(tmp_path / "model")
    assert set(tensors) == {"0.weight", "0.bias"}
    assert same_bits(tensors["0.weight"], model[0].weight)


def test_own_layers_and_shared_ones_are_refused(tmp_path):
    class Own(nt.ReLU):
        pass

    path = tmp_path / "model"
    with pytest.raises(TypeError, match="save: expected layers of ne_torch, got Own as layer 1 of the model"):
        nt.Sequential(nt.ReLU(), Own()).save(path)
    shared = nt.Linear(2, 2)
    with pytest.raises(ValueError, match="save: expected every layer once"):
        nt.Sequential(shared, nt.Sequential(shared)).save(path)
    assert not list(tmp_path.iterdir())


def written(tmp_path, told, **metadata):
    header = {"format": "ne_torch model", "version": "1", "architecture": json.dumps(told), **metadata}
    path = tmp_path / "hostile"
    path.write_bytes(safetensors.numpy.save({"weight": np.zeros((2, 3), "float32")}, header))
    return path


LINEAR = {"in_features": 3, "out_features": 2, "bias": False, "dtype": "float32"}
HOSTILE = {
    "another class": {"class": "Trainer", "arguments": {}},
    "a base class": {"class": "Activation", "arguments": {}},
    "no class": {"arguments": LINEAR},
    "a list": [1, 2],
    "a number": 3,
    "null": None,
    "an unknown argument": {"class": "Linear", "arguments": {**LINEAR, "device": "cuda"}},
    "a missing argument": {"class": "Linear", "arguments": {"in_features": 3}},
    "another dtype": {"class": "Linear", "arguments": {**LINEAR, "dtype": "float64"}},
    "another shape": {"class": "Linear", "arguments": {**LINEAR, "in_features": 2, "out_features": 3}},
    "a huge layer": {"class": "Linear", "arguments": {**LINEAR, "in_features": 10**9, "out_features": 10**9}},
    "a fraction": {"class": "Linear", "arguments": {**LINEAR, "in_features": 3.0}},
    "a huge table": {"class": "TabularEmbedding", "arguments": {
        "in_features": 1, "categories": [[0, [10**12, 10**6]]], "dtype": "float32"}},
    "chains in chains": {"class": "Sequential", "layers": [{"class": "Sequential", "layers": []}] * 3},
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_architectures_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"load: '.*hostile' is no file of Layer\.save, or damaged"):
        nt.load(written(tmp_path, HOSTILE[name]))


def test_a_width_that_a_file_only_tells_takes_no_memory(tmp_path):
    """No array of a TabularEmbedding is as wide as its input, so the numbers in the file do not bound it."""
    arguments = {"in_features": 10**6, "categories": [[0, [2, 3]]], "dtype": "float32"}
    told = {"class": "TabularEmbedding", "arguments": arguments}
    header = {"format": "ne_torch model", "version": "1", "architecture": json.dumps(told)}
    tensors = {"embeddings.0.weight": np.zeros((2, 3), "float32")}
    (tmp_path / "wide").write_bytes(safetensors.numpy.save(tensors, header))
    nt.load(tmp_path / "wide")  # what is imported once
    tracemalloc.start()
    try:
        assert nt.load(tmp_path / "wide").out_features == 10**6 + 2
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_deep_nesting_and_other_headers_are_refused(tmp_path):
    deep = {"class": "Linear", "arguments": LINEAR}
    for _ in range(40):
        deep = {"class": "Sequential", "layers": [deep]}
    with pytest.raises(ValueError, match="chains in at most 32"):
        nt.load(written(tmp_path, deep))
    good = {"class": "Linear", "arguments": LINEAR}
    assert nt.load(written(tmp_path, good)).weight.shape == (2, 3)
    for change in ({"format": "other"}, {"version": "2"}, {"architecture": "[" * 100_000}):
        with pytest.raises(ValueError, match=r"is no file of Layer\.save, or damaged"):
            nt.load(written(tmp_path, good, **change))
    with pytest.raises(ValueError, match=r"0\.weight"):
        nt.load(written(tmp_path, {"class": "Sequential", "layers": [good]}))


def test_damaged_files_are_refused_or_whole(tmp_path):
    """Of flipped bits in weights no reader knows; whatever loads has the shapes that it tells."""
    every_layer().save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    rng = np.random.default_rng(0)
    path, loaded = tmp_path / "damaged", 0
    for i in range(600):
        damaged = bytearray(content)
        if i % 3 == 0:
            damaged = damaged[: rng.integers(len(content))]
        elif i % 3 == 1:
            damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        else:
            at = int(rng.integers(2000))
            damaged[at : at + 8] = rng.integers(0, 256, 8, dtype=np.uint8).tobytes()
        path.write_bytes(damaged)
        try:
            model = nt.load(path)
        except ValueError:
            continue
        loaded += 1
        assert isinstance(model, nt.Layer)
        assert model.state_dict()
    assert 0 < loaded < 400
    with pytest.raises(OSError, match="missing"):
        nt.load(tmp_path / "missing")


def test_a_failed_save_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "model"
    nt.Linear(2, 2, rng=0).save(path)
    before = path.read_bytes()

    def fail(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        nt.Linear(2, 2, rng=1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_of_a_large_model_come_back(tmp_path):
    model = nt.Sequential(nt.Linear(300, 200, rng=0), nt.ReLU(), nt.Linear(200, 10, rng=1))
    model[0].weight = normal((200, 300), "float32")
    model.save(tmp_path / "model")
    assert_same(nt.load(tmp_path / "model"), model)
