"""Hostile headers: every value in the JSON of a file, or in a graph of ONNX, replaced by what is none of it.

Random bits seldom leave JSON that can be read; here all of it can. A file is refused by a ValueError of few
words with everything as it was, or it is another good file: then what it loads is whole, and runs.
"""

import contextlib
import copy
import json
import math

import ne_torch as nt
import numpy as np
import onnx
import pytest
import safetensors
import safetensors.numpy
from google.protobuf import json_format
from ne_torch.receipt import verify

from samples import normal

DEEP = json.loads("[" * 500 + "]" * 500)
HOSTILE = [
    None,
    True,
    -1,
    0,
    3,
    2**63,
    10**400,
    0.5,
    math.nan,
    -math.inf,
    "",
    "x",
    [],
    [[]],
    {},
    {"x": 1},
    DEEP,
]
X, TARGET = normal((8, 5), "float32"), normal((8, 3), "float32", 1)


def make_trainer(seed=1):
    layers = nt.Linear(5, 4, rng=seed), nt.Dropout(0.5, rng=2), nt.Tanh(), nt.Linear(4, 3, rng=seed + 2)
    model = nt.Sequential(*layers)
    optimizer = nt.Adam(model.parameters(), lr=0.1)
    schedule = nt.lr_scheduler
    inner = [schedule.LinearLR(optimizer, 0.5), schedule.StepLR(optimizer, 3)]
    scheduler = schedule.SequentialLR(optimizer, inner, [4])
    return nt.Trainer(model, loss=nt.HuberLoss(), optimizer=optimizer, scheduler=scheduler)


def every_place(tree, path=()):
    """Yield the path to each value."""
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from every_place(value, (*path, key))


def replaced(tree, path, value):
    if not path:
        return value
    copied = copy.copy(tree)
    copied[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copied


def hostile(tree, values=HOSTILE):
    """Yield the tree with one value changed, or left out, or one added to."""
    for path in every_place(tree):
        for value in values:
            yield replaced(tree, path, value)
        *above, last = path or (None,)
        if isinstance(last, str):
            parent = tree
            for key in above:
                parent = parent[key]
            yield replaced(tree, tuple(above), {k: v for k, v in parent.items() if k != last})
            yield replaced(tree, tuple(above), {**parent, "other": 1})


def refused(call, *also):
    """Return whether it is; anything but an error of few words, a ValueError mostly, is a failure."""
    try:
        call()
    except (ValueError, *also) as error:
        assert len(str(error)) < 1500, str(error)  # noqa: PT017 - of those that are refused
        return True
    return False


def headers(path, name):
    """Yield the bytes of a safetensors file for each change of the JSON called name in its header."""
    with safetensors.safe_open(path, "numpy") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    for changed in hostile(json.loads(metadata[name])):
        yield safetensors.numpy.save(tensors, {**metadata, name: json.dumps(changed)})
    yield safetensors.numpy.save(tensors, {**metadata, name: "[" * 100_000})


def test_hostile_headers_of_trainers_never_half_load(tmp_path):
    good, path = tmp_path / "good", tmp_path / "hostile"
    trainer = make_trainer()
    stopping = nt.callbacks.EarlyStopping("loss")
    trainer.fit(X, TARGET, epochs=5, batch_size=4, rng=0, callbacks=[stopping], max_steps=7)
    trainer.save(good)
    fresh = make_trainer(7)
    before = state(fresh)
    counts = [0, 0]
    for content in headers(good, "state"):
        path.write_bytes(content)
        if refused(lambda: fresh.load(path)):  # noqa: B023 - called at once
            counts[0] += 1
            assert state(fresh) == before
        else:
            counts[1] += 1
            assert all(np.array_equal(a, b) for a, b in zip(*map(weights, (fresh, trainer)), strict=True))
            fresh.step(X, TARGET)
            fresh = make_trainer(7)
    assert counts[0] > 10 * counts[1] / 4 > 0


def weights(trainer):
    return [parameter.data for parameter in trainer.model.parameters()]


def state(trainer):
    arrays = [*weights(trainer), *trainer.model.named_buffers().values()]
    states = [array for states in trainer.optimizer.states() for array in states if array is not None]
    told = trainer.optimizer.options(), trainer.optimizer.steps, trainer.scheduler.state_dict()
    return [array.tobytes() for array in (*arrays, *states)], repr(told)


def test_hostile_headers_of_models_are_refused(tmp_path):
    model = nt.Sequential(
        nt.TabularEmbedding(5, {0: (3, 2)}, rng=0),
        nt.Residual(nt.LayerNorm(6), nt.Linear(6, 6, rng=1), nt.Softplus()),
        nt.BatchNorm1d(6),
        nt.Dropout(0.5, rng=2),
        nt.Linear(6, 3, rng=3),
    )
    model.save(tmp_path / "good")
    x = np.abs(X)
    x[:, 0] = 1
    counts = [0, 0]
    for content in headers(tmp_path / "good", "architecture"):
        (tmp_path / "hostile").write_bytes(content)
        loaded = []
        if refused(lambda: loaded.append(nt.load(tmp_path / "hostile"))):  # noqa: B023 - called at once
            counts[0] += 1
        else:
            counts[1] += 1
            assert loaded[0].state_dict().keys() == model.state_dict().keys()
            refused(lambda: loaded[0].eval()(x))  # noqa: B023 - whose widths need not fit one another
    assert counts[0] > counts[1] > 0


def test_hostile_headers_of_predictors_are_refused_or_run(tmp_path):
    model = nt.Sequential(
        nt.TabularEmbedding(4, {1: (3, 2), 2: (2, 1)}, rng=0),
        nt.Residual(nt.LayerNorm(5), nt.Linear(5, 5, rng=1)),
        nt.BatchNorm1d(5),
        nt.Linear(5, 3, rng=2),
        nt.Softmax(),
    )
    model.eval().freeze().save(tmp_path / "good")
    counts = [0, 0]
    for i, content in enumerate(headers(tmp_path / "good", "stages")):
        path = tmp_path / f"hostile {i}"  # what is mapped must not be written to
        path.write_bytes(content)
        loaded = []
        if refused(lambda: loaded.append(nt.load_predictor(path))):  # noqa: B023 - called at once
            counts[0] += 1
        else:
            counts[1] += 1
            assert loaded[0](np.ones(loaded[0].in_features, "float32")).shape == (loaded[0].out_features,)
        path.unlink()
    assert counts[0] > counts[1] > 0


def graphs(path):
    """Yield the bytes of an ONNX file for each change, made through protobuf's JSON."""
    told = json_format.MessageToDict(onnx.load(path), preserving_proto_field_name=True)
    for changed in hostile(told, [0, -1, 0.5, "", "x", []]):  # others are no messages
        proto = onnx.ModelProto()
        with contextlib.suppress(Exception):  # what is no message is left out where it stops to be one
            json_format.ParseDict(changed, proto)
        yield proto.SerializeToString()


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_hostile_graphs_of_onnx_are_refused_or_run(tmp_path):
    layers = (
        nt.LayerNorm(5),
        nt.Residual(nt.Linear(5, 5, rng=1), nt.SiLU()),
        nt.BatchNorm1d(5),
        nt.Softplus(2.0),
    )
    nt.export_onnx(
        nt.Sequential(*layers, nt.LeakyReLU(0.5), nt.Linear(5, 3, rng=2)).eval(), tmp_path / "good"
    )
    counts = [0, 0]
    for content in graphs(tmp_path / "good"):
        (tmp_path / "hostile").write_bytes(content)
        loaded = []
        if refused(lambda: loaded.append(nt.import_onnx(tmp_path / "hostile")), TypeError):  # noqa: B023
            counts[0] += 1
        else:
            counts[1] += 1
            refused(lambda: loaded[0](X))  # noqa: B023 - whose widths need not fit one another
    assert counts[0] > counts[1] > 0


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_hostile_receipts_are_refused_or_trained_again(tmp_path):
    model = nt.Sequential(nt.Linear(5, 4, rng=1), nt.ReLU(), nt.Linear(4, 3, rng=2))
    optimizer = nt.SGD(model.parameters(), lr=0.1, momentum=0.9)
    trainer = nt.Trainer(model, loss=nt.HuberLoss(delta=0.5), optimizer=optimizer)
    trainer.fit(X, TARGET, epochs=2, batch_size=4, rng=0, receipt=tmp_path / "good")
    counts = [0, 0]
    for changed in hostile(json.loads((tmp_path / "good").read_text())):
        (tmp_path / "hostile").write_text(json.dumps(changed))
        counts[not refused(lambda: verify(tmp_path / "hostile", (X, TARGET)))] += 1
    assert counts[0] > counts[1] > 0
