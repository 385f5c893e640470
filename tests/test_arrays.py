"""Arrays of other libraries: in and out by DLPack and by torch without a copy, and what cannot come in."""

import tracemalloc

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch import _core

from samples import DLPackOnly, normal, same_bits

ROWS, FEATURES = 4000, 64
WRAPPED = {"dlpack_only": DLPackOnly, "torch": torch.from_numpy}
each_kind = pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)


class FirstProtocol(DLPackOnly):
    """DLPack as it was before 2023: no options but a stream."""

    def __dlpack__(self, stream=None):
        return self._array.__dlpack__()


class OnAnotherDevice(DLPackOnly):
    def __dlpack__(self, **options):
        raise BufferError("this array is on device cuda:0")

    def __dlpack_device__(self):
        return (2, 0)


def copied(call):
    """Return the most bytes that NumPy allocated beside others while call ran, and what it returned."""
    call()  # what is allocated once
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


def inputs(dtype):
    return normal((ROWS, FEATURES), dtype), normal((ROWS, 1), dtype, 1)


def make_trainer(dtype, layer=None):
    model = nt.Sequential(nt.Linear(FEATURES, 1, dtype=dtype, rng=0), *([] if layer is None else [layer]))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01))


class Own(nt.Layer):
    """Keeps the engine away."""

    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


@pytest.mark.parametrize("wrap", [*WRAPPED.values(), FirstProtocol], ids=[*WRAPPED, "first_protocol"])
def test_views_share_memory_with_their_source(wrap, dtype):
    x = normal((3, 4), dtype)
    for array in (_core.as_array(wrap(x), "here", "x", dtype.name), _core.numpy_view(wrap(x), "here", "x")):
        assert same_bits(array, x)
        assert np.shares_memory(array, x)


@each_kind
@pytest.mark.parametrize(
    "layer",
    [
        *(nt.Linear(FEATURES, 1, dtype="float64", rng=0), nt.ReLU(), nt.GELU(), nt.Softmax()),
        *(nt.LogSoftmax(), nt.LayerNorm(FEATURES, dtype="float64"), nt.Dropout(0.5, rng=0).eval()),
        nt.BatchNorm1d(FEATURES, dtype="float64").eval(),
        nt.Residual(nt.ReLU()),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_read_inputs_where_they_lie(layer, wrap):
    x = inputs("float64")[0]
    plain, expected = copied(lambda: layer.forward(x))
    bytes_, y = copied(lambda: layer.forward(wrap(x)))
    assert same_bits(y, expected)
    assert bytes_ < plain + x.nbytes / 4
    gradient = layer.backward(np.ones_like(y))
    layer.forward(x)
    assert same_bits(layer.backward(wrap(np.ones_like(y))), gradient)


@each_kind
@pytest.mark.parametrize("layer", [None, Own()], ids=["fused", "by_layer"])
def test_training_reads_arrays_where_they_lie(layer, wrap, dtype):
    x, target = inputs(dtype)
    one, other = make_trainer(dtype, layer), make_trainer(dtype, layer)
    assert one.fused == (layer is None)
    weight = np.ones(ROWS, dtype)
    bytes_, value = copied(lambda: one.step(wrap(x), wrap(target), wrap(weight)))
    plain, expected = copied(lambda: other.step(x, target, weight))
    assert value == expected
    assert bytes_ < plain + x.nbytes / 4

    def fit(trainer, *arrays):
        return trainer.fit(*arrays, epochs=1, batch_size=100, rng=0, validation_data=arrays)

    bytes_, history = copied(lambda: fit(one, wrap(x), wrap(target)))
    plain, expected = copied(lambda: fit(other, x, target))
    assert (history.loss, history.validation_loss) == (expected.loss, expected.validation_loss)
    assert bytes_ < plain + x.nbytes / 4


@each_kind
def test_predictors_read_inputs_where_they_lie(wrap, dtype):
    x = inputs(dtype)[0]
    predictor = make_trainer(dtype).model.freeze()
    bytes_, y = copied(lambda: predictor(wrap(x)))
    assert same_bits(y, predictor(x))
    assert bytes_ < x.nbytes / 4


@each_kind
def test_classes_codes_bytes_and_weights_come_as_any_array(wrap):
    logits, classes = normal((6, 3), "float64"), np.array([0, 2, 1, 1, 0, 2])
    plain = nt.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    wrapped = nt.CrossEntropyLoss(weight=wrap(np.array([1.0, 2.0, 3.0])))
    assert wrapped(wrap(logits), wrap(classes)) == plain(logits, classes)
    assert nt.metrics.accuracy(wrap(logits), wrap(classes)) == nt.metrics.accuracy(logits, classes)
    assert nt.metrics.f1(wrap(logits), wrap(classes)) == nt.metrics.f1(logits, classes)
    assert nt.metrics.r2(wrap(logits), wrap(logits)) == 1
    embedding = nt.Embedding(3, 2, rng=0)
    assert same_bits(embedding(wrap(classes)), embedding(classes))
    pixels = np.arange(12, dtype="uint8").reshape(4, 3)
    scaled = nt.data.Scaled(wrap(pixels))
    assert same_bits(scaled[1:], nt.data.Scaled(pixels)[1:])
    assert np.shares_memory(scaled._array, pixels)
    first = next(iter(nt.data.batches(wrap(logits), batch_size=4, shuffle=False)))
    assert np.shares_memory(first, logits)
    linear = nt.Linear(3, 6)
    linear.weight = wrap(logits.astype("float32"))
    assert same_bits(linear.weight, logits.astype("float32"))


def memory_of(tensor):
    return tensor.data_ptr()


def test_results_go_out_without_a_copy(dtype):
    x, target = inputs(dtype)
    layer = make_trainer(dtype).model[0]
    loss = nt.MSELoss()
    predictor = nt.Sequential(layer).freeze()
    y = layer(x)
    loss(y, target)
    grad = loss.backward()
    results = [
        y,
        grad,
        layer.backward(grad),
        layer.grad_weight,
        predictor(x),
        nt.data.Scaled(np.eye(2, dtype="uint8"))[:],
    ]
    for result in results:
        tensor = torch.from_dlpack(result)
        assert memory_of(tensor) == result.ctypes.data
        tensor.zero_()
        assert not result.any()


def test_parameters_and_buffers_are_shared_with_torch(dtype):
    linear, norm = nt.Linear(3, 2, dtype=dtype, rng=0), nt.BatchNorm1d(2, dtype=dtype)
    x = normal((5, 3), dtype)
    for array in (linear.weight, linear.bias, norm.weight, norm.running_mean):
        tensor = torch.from_dlpack(array)
        assert memory_of(tensor) == array.ctypes.data
    weight = torch.from_dlpack(linear.weight)
    weight.fill_(2)
    assert same_bits(linear(x), nt.functional.affine_forward(x, np.full((2, 3), 2, dtype)))
    linear.backward(np.ones((5, 2), dtype))
    linear.step(0.5)
    assert same_bits(weight.numpy(), linear.weight)
    assert not torch.all(weight == 2)


REFUSED = {
    "bfloat16 of torch": (torch.zeros(3, dtype=torch.bfloat16), "got Tensor .*BFloat16"),
    "bfloat16 by DLPack": (DLPackOnly(torch.zeros(3, dtype=torch.bfloat16)), "got DLPackOnly .*dtype"),
    "another device": (OnAnotherDevice(np.zeros(3)), "got OnAnotherDevice .*cuda:0"),
    "meta of torch": (torch.zeros(3, device="meta"), "got Tensor .*meta"),
    "part of a graph": (torch.zeros(3, requires_grad=True), r"got Tensor .*detach\(\)"),
    "complex": (DLPackOnly(np.zeros(3, "complex64")), r"got complex64; take its real part"),
    "half": (torch.zeros(3, dtype=torch.float16), 'got float16; convert it with input.astype\\("float32"\\)'),
    "integers": (DLPackOnly(np.zeros(3, "int64")), 'got int64; convert it with input.astype\\("float32"\\)'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_come_in_is_named_with_its_cure(name):
    value, message = REFUSED[name]
    with pytest.raises(TypeError, match=rf"^Linear: expected input .*{message}"):
        nt.Linear(3, 2)(value)


def test_errors_of_conversion_name_the_place_everywhere():
    bad = torch.zeros((2, 2), dtype=torch.bfloat16)
    linear = nt.Linear(2, 2)
    calls = {
        "Linear.load_state_dict: expected weight": lambda: linear.load_state_dict(
            {"weight": bad, "bias": bad}
        ),
        "Embedding: expected x": lambda: nt.Embedding(3, 2)(bad),
        "Trainer.fit: expected x": lambda: make_trainer("float32").fit(bad, bad),
        "CrossEntropyLoss: expected weight": lambda: nt.CrossEntropyLoss(weight=bad),
        "Scaled: expected array": lambda: nt.data.Scaled(bad),
        "accuracy: expected prediction": lambda: nt.metrics.accuracy(bad, [0, 1]),
    }
    for message, call in calls.items():
        with pytest.raises(TypeError, match=rf"^{message}.*; convert it first$"):
            call()
