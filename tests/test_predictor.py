"""Frozen models: forward's bits in any batch, immutable, safe from many threads."""

import copy
import pickle
import threading
import tracemalloc

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from networks import make
from samples import LAYOUTS, contiguous, normal, same_bits, with_specials

# widths around the edges of vectors, of a panel's lines and of whole panels
SIZES = [
    (1, 1), (5, 1), (1, 7), (3, 17, 2), (40, 33, 1), (64, 32, 10), (33, 127, 129, 3), (512, 200, 64),
    (784, 128, 10),
]  # fmt: skip
BATCHES = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 16, 17, 25, 64, 100, 333]
by_sizes = pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))


@by_sizes
def test_predictor_gives_the_bits_of_forward_in_any_batch(sizes, dtype, isa, threads):
    model, _ = make(sizes, dtype)
    predictor = model.freeze()
    x = normal((max(BATCHES), sizes[0]), dtype)
    expected = model.forward(x)
    for count in (1, 2, 3):
        nt.set_num_threads(count)
        for batch in BATCHES:
            for begin in {0, max(BATCHES) - batch}:
                part = slice(begin, begin + batch)
                assert same_bits(predictor(x[part]), expected[part])
        assert same_bits(predictor(x[7]), expected[7])


@pytest.mark.parametrize(
    "layers",
    [
        lambda dtype: [nt.ReLU(), nt.Linear(20, 9, dtype=dtype, rng=0)],
        lambda dtype: [nt.Softmax(), nt.Linear(20, 9, dtype=dtype, rng=0), nt.Softmax(), nt.ReLU()],
        lambda dtype: [nt.Linear(20, 9, bias=False, dtype=dtype, rng=0), nt.ReLU(), nt.ReLU()],
        lambda dtype: [
            nt.Sequential(nt.Linear(20, 30, dtype=dtype, rng=0), nt.Softmax()),
            nt.Linear(30, 30, dtype=dtype, rng=1),
            nt.ReLU(),
        ],
        lambda dtype: [
            nt.Linear(20, 1, dtype=dtype, rng=0),
            nt.Linear(1, 6, dtype=dtype, rng=1),
            nt.ReLU(),
            nt.Linear(6, 1, bias=False, dtype=dtype, rng=2),
        ],
        lambda dtype: [nt.Linear(20, 1, dtype=dtype, rng=0), nt.ReLU()],
    ],
)
@pytest.mark.parametrize("rows", [1, 3, 64, 257])
def test_predictor_knows_every_layer_in_every_place(layers, rows, dtype, isa):
    model = nt.Sequential(*layers(dtype))
    x = with_specials((rows, 20), dtype, 0.1)
    assert same_bits(model.freeze()(x), model.forward(x))


@pytest.mark.parametrize("weights", ["same", "bfloat16", "int8"])
def test_calls_in_turn_go_through_the_weights_in_either_direction(weights, isa):
    model, _ = make((20, 300, 140, 3), np.dtype("float32"))  # whole panels, and what is left
    predictor = model.freeze(weights=weights)
    x = normal((13, 20), "float32")
    expected = predictor(x)
    if weights == "same":
        assert same_bits(expected, model.forward(x))
    for rows in (1, 2, 6, 13):
        for _ in range(3):
            assert same_bits(predictor(x[:rows]), expected[:rows])


def test_predictor_of_a_single_layer(dtype, isa):
    layer = nt.Linear(7, 5, dtype=dtype, rng=0)
    assert same_bits(layer.freeze()(np.ones((3, 7), dtype)), layer.forward(np.ones((3, 7), dtype)))


def test_predictor_keeps_special_values(dtype, isa):
    model, _ = make((33, 40, 9), dtype)
    model[0].weight[3, 4], model[2].weight[1, 1], model[2].bias[0] = np.inf, np.nan, -np.inf
    x = with_specials((50, 33), dtype, 0.05)
    assert same_bits(model.freeze()(x), model.forward(x))


def test_predictor_keeps_negative_zeros_without_bias(dtype, isa):
    layer = nt.Linear(1, 1, bias=False, dtype=dtype)
    layer.weight[...] = np.finfo(dtype).smallest_subnormal
    x = np.array([[-0.25]], dtype)
    assert np.signbit(layer.forward(x))
    assert same_bits(layer.freeze()(x), layer.forward(x))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_predictor_takes_any_layout(layout, dtype):
    model, _ = make((6, 4, 3), dtype)
    laid_out = LAYOUTS[layout](normal((5, 6), dtype))
    assert same_bits(model.freeze()(laid_out), model.forward(contiguous(laid_out, dtype)))


@pytest.mark.parametrize("shape", [(4,), (0, 4), (2, 3, 4), (1, 1, 1, 4), (2, 0, 4)])
def test_predictor_keeps_leading_axes(shape):
    model, _ = make((4, 3), np.dtype("float32"))
    x = normal(shape, "float32")
    assert same_bits(model.freeze()(x), model.forward(x))


def test_predictor_writes_to_out():
    model, _ = make((4, 3), np.dtype("float32"))
    x, out = normal((5, 4), "float32"), np.zeros((5, 3), "float32")
    assert model.freeze()(x, out) is out
    assert same_bits(out, model.forward(x))
    assert model.freeze()(x, out=out) is out


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: p(np.ones((2, 5), "float32")), ValueError, "expected x of shape (..., 4), got (2, 5)"),
        (lambda p: p(np.float32(1)), ValueError, "expected x of shape (..., 4), got ()"),
        (
            lambda p: p(np.ones((2, 4))),
            TypeError,
            'of dtype float32, got float64; convert it with x.astype("float',
        ),
        (lambda p: p(np.ones(4, int)), TypeError, "of dtype float32, got int64"),
        (lambda p: p(np.ones(4, "f"), np.ones(4, "f")), ValueError, "expected out of shape (3,), got (4,)"),
        (lambda p: p(np.ones(4, "f"), [0.0] * 3), TypeError, "expected out as a NumPy array"),
        (lambda p: p(np.ones(4, "f"), np.ones(3)), TypeError, "expected out of dtype float32"),
    ],
)
def test_predictor_refuses_what_does_not_fit(call, error, words):
    predictor = make((4, 3), np.dtype("float32"))[0].freeze()
    with pytest.raises(error) as caught:
        call(predictor)
    assert str(caught.value).startswith("Predictor: ")
    assert words in str(caught.value)


def test_predictor_refuses_out_that_overlaps_x():
    predictor = nt.Linear(4, 4, rng=0).freeze()
    x = normal((3, 4), "float32")
    with pytest.raises(ValueError, match="share no memory"):
        predictor(x, x)


def test_predictor_does_not_follow_its_model(dtype):
    model, _ = make((6, 4, 3), dtype)
    predictor, x = model.freeze(), normal((5, 6), dtype)
    before = predictor(x)
    for parameter in model.parameters():
        parameter.data[...] = 0
    del model[1]
    assert same_bits(predictor(x), before)


def test_predictor_is_immutable():
    predictor = make((6, 4, 3), np.dtype("float32"))[0].freeze()
    with pytest.raises(AttributeError, match="a predictor is immutable"):
        predictor.weights = "int8"
    with pytest.raises(AttributeError, match="a predictor is immutable"):
        del predictor._stages
    with pytest.raises(ValueError, match="read-only"):
        predictor._stages[0].panels[0] = 1


def test_predictor_tells_what_it_is(dtype):
    model, _ = make((6, 40, 3), dtype)
    model.append(nt.Softmax())
    predictor = model.freeze()
    found = (predictor.in_features, predictor.out_features, predictor.dtype, predictor.weights)
    assert found == (6, 3, dtype, dtype.name)
    assert repr(predictor) == f"Predictor(6 -> 40 relu -> 3 -> softmax, weights={dtype.name})"
    assert predictor.nbytes >= sum(parameter.data.nbytes for parameter in model.parameters())


def test_predictor_survives_copies_and_pickle(dtype):
    predictor, x = make((6, 4, 3), dtype)[0].freeze(), normal((5, 6), dtype)
    assert copy.copy(predictor) is predictor
    assert copy.deepcopy(predictor) is predictor
    again = pickle.loads(pickle.dumps(predictor))
    assert same_bits(again(x), predictor(x))
    assert repr(again) == repr(predictor)


class Own(nt.Layer):
    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


class OwnLinear(nt.Linear):
    pass


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (lambda: nt.Sequential(nt.Linear(2, 2), Own()), TypeError, "at place 1"),
        (lambda: nt.Sequential(nt.Linear(2, 2), OwnLinear(2, 2)), TypeError, "at place 1"),
        (lambda: nt.Sequential(nt.ReLU()), ValueError, "at least one Linear"),
        (lambda: nt.Sequential(), ValueError, "at least one Linear"),
        (lambda: nt.Sequential(nt.Linear(2, 3), nt.Linear(2, 3)), ValueError, "layer 1 with in_features=3"),
        (lambda: nt.Sequential(nt.Linear(2, 2), nt.Linear(2, 2, dtype="float64")), TypeError, "of one dtype"),
    ],
)
def test_freeze_refuses_what_it_does_not_know(model, error, words):
    with pytest.raises(error) as caught:
        model().freeze()
    assert str(caught.value).startswith("freeze: ")
    assert words in str(caught.value)


def test_a_prediction_into_out_allocates_nothing(threads):
    model, _ = make((784, 128, 10), np.dtype("float32"))
    model.append(nt.Softmax())
    predictor = model.freeze()
    for batch in (1, 64, 1000):
        x, out = normal((batch, 784), "float32"), np.empty((batch, 10), "float32")
        predictor(x, out)
        tracemalloc.start()
        try:
            predictor(x, out)
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(100):
                predictor(x, out)
            assert tracemalloc.get_traced_memory()[0] - before < 1000
        finally:
            tracemalloc.stop()


def test_sixteen_threads_on_one_predictor_get_the_bits_of_one():
    """A million predictions in all, of one row or of a few, so that some release the GIL and some do not."""
    model, _ = make((64, 32, 10), np.dtype("float32"))
    predictor = model.freeze()
    x = normal((64, 64), "float32")
    expected = [predictor(row).tobytes() for row in x]
    batch, whole = np.tile(x, (10, 1)), predictor(np.tile(x, (10, 1))).tobytes()
    wrong = []

    def predict(first):
        out, large = np.empty(10, "float32"), np.empty((640, 10), "float32")
        rows = [(row, expected[i]) for i, row in enumerate(x)]
        for turn in range(977):
            for row, bits in rows:
                predictor(row, out)
                if out.tobytes() != bits:
                    wrong.append((first, turn))
            if turn % 50 == first and predictor(batch, large).tobytes() != whole:
                wrong.append((first, turn))

    workers = [threading.Thread(target=predict, args=(i,)) for i in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert 16 * 977 * 64 > 1_000_000
    assert not wrong


@pytest.mark.parametrize(
    "stages",
    [
        (),
        (("dense", 4, 3, "identity", np.zeros(63, "f"), None, None),),
        (("dense", 4, 3, "identity", np.zeros(64), None, None),),
        (("dense", 4, 3, "identity", np.zeros(128, "f")[::2], None, None),),
        (("dense", 4, 3, "identity", np.zeros(64, "f"), np.zeros(4, "f"), None),),
        (("dense", 4, 3, "identity", np.zeros(64, "f"), None, np.zeros(3)),),
        (("dense", 0, 3, "identity", np.zeros(0, "f"), None, None),),
        (("dense", 4, 3, "identity", np.zeros(64, "f"), None, None), ("softmax", 4)),
        (("softmax", -1),),
        (("softmax", 4), ("tabular_embedding", 4, ())),
        (("tabular_embedding", 4, ((4, np.zeros((2, 1), "f")),)),),
        (("tabular_embedding", 4, ((-1, np.zeros((2, 1), "f")),)),),
        (("tabular_embedding", 4, ((1, np.zeros((2, 1), "f")), (1, np.zeros((2, 1), "f")))),),
        (("tabular_embedding", 4, ((2, np.zeros((2, 1), "f")), (1, np.zeros((2, 1), "f")))),),
        (("tabular_embedding", 4, ((1, np.zeros((2, 1))),)),),
        (("tabular_embedding", 4, ((1, np.zeros((0, 1), "f")),)),),
        (("tabular_embedding", 4, ((1, np.zeros((1, 0), "f")),)),),
        (("tabular_embedding", 4, ((1, np.zeros(2, "f")),)),),
        (("tabular_embedding", 4, ((1, np.zeros((2, 2), "f").T),)),),
        (("tabular_embedding", 4, ((1, None),)),),
        (("tabular_embedding", 2**31 - 1, ((1, np.zeros((1, 2), "f")),)),),
    ],
)
def test_core_refuses_stages_that_do_not_fit(stages):
    with pytest.raises(ValueError, match="Predictor: expected"):
        _core.Predictor("float32", stages)
