"""Every table against the independent twin, bit for bit: CASES random cases of each operation and dtype.

hypothesis draws shapes, kinds of values and seeds, ten cases an example, and shrinks what fails.
"""

import os
import warnings
from itertools import product

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ne_torch import _core
from ne_torch.serving.stages import pack

import twin_library as twin
from samples import same_bits

# NE_TORCH_TWIN_CASES=200 is enough while working on something else
CASES, TOGETHER = int(os.environ.get("NE_TORCH_TWIN_CASES", "10000")), 10
EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33]
ISAS = _core.available_isas()

sizes = st.sampled_from(EDGES)
seeds = st.integers(0, 2**32 - 1)


def _subnormal(rng, shape, dtype):
    return rng.integers(-9, 10, shape) * np.finfo(dtype).smallest_subnormal


def _cancelling(rng, shape, dtype):
    return rng.choice([1e4, -1e4, 1e-4, 1.0, -1.0], shape) * (
        1 + np.finfo(dtype).eps * rng.integers(0, 3, shape)
    )


def _special(rng, shape, dtype):
    info = np.finfo(dtype)
    ends = [np.inf, -np.inf, np.nan, 0.0, -0.0, info.max, -info.max, info.tiny, 1.0]
    return np.where(rng.random(shape) < 0.1, rng.choice(ends, shape), rng.standard_normal(shape))


KINDS = {
    "normal": lambda rng, shape, _: rng.standard_normal(shape),
    "any exponent": lambda rng, shape, _: rng.standard_normal(shape) * 2.0 ** rng.integers(-60, 60, shape),
    "few values": lambda rng, shape, _: rng.choice([0.0, -0.0, 1.0, -1.0, 0.1], shape),
    "subnormal": _subnormal,
    "cancelling": _cancelling,
    "special": _special,
}
kinds = st.sampled_from(sorted(KINDS))


class Values:
    """Arrays of one case: all of one kind, from one seed."""

    def __init__(self, kind, seed, dtype):
        self.kind, self.rng, self.dtype = kind, np.random.default_rng(seed), dtype

    def __call__(self, *shape):
        return np.asarray(KINDS[self.kind](self.rng, shape, self.dtype)).astype(self.dtype)


def cases(*shape):
    """Decorate a test of one case, called with dtype, its sizes and its values, to run CASES of them."""

    def decorate(test):
        @pytest.mark.no_cover  # it would take as long as the cases, and they call no Python of ours
        @pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)
        @settings(max_examples=CASES // TOGETHER, deadline=None, derandomize=True, database=None)
        @given(st.lists(st.tuples(kinds, seeds, *shape), min_size=TOGETHER, max_size=TOGETHER))
        def run(dtype, drawn):
            before = _core.active_isa()
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    for kind, seed, *size in drawn:
                        test(dtype, *size, Values(kind, seed, dtype))
            finally:
                _core.select_isa(before)

        run.__name__ = test.__name__
        run.hypothesis.inner_test.__name__ = test.__name__
        return run

    return decorate


def agree(expected, compute):
    """Compute with every table; each result must have the bits of the twin's."""
    for isa in ISAS:
        _core.select_isa(isa)
        found = compute()
        for ours, theirs in zip(found, expected, strict=True):
            assert same_bits(ours, theirs), (isa, ours, theirs)


@cases(sizes, sizes.filter(bool), sizes.filter(bool), st.booleans())
def test_affine_forward_equals_twin(dtype, batch, inner, outer, biased, values):
    x, weight, bias = values(batch, inner), values(outer, inner), values(outer) if biased else None
    agree([twin.affine_forward(x, weight, bias)], lambda: [_core.affine_forward(x, weight, bias)])


@cases(sizes, sizes.filter(bool), sizes.filter(bool), st.booleans())
def test_predictor_equals_twin(dtype, batch, inner, outer, biased, values):
    x, weight, bias = values(batch, inner), values(outer, inner), values(outer) if biased else None
    dense = ("dense", inner, outer, "relu", pack(weight, dtype), bias, None)
    predictor = _core.Predictor(dtype.name, (dense,))
    agree([twin.relu_forward(twin.affine_forward(x, weight, bias))], lambda: [predictor.predict(x)])


@cases(sizes, sizes.filter(bool), sizes.filter(bool))
def test_affine_backward_equals_twin(dtype, batch, inner, outer, values):
    grad, x, weight = values(batch, outer), values(batch, inner), values(outer, inner)
    agree(twin.affine_backward(grad, x, weight), lambda: _core.affine_backward(grad, x, weight))


# every activation of the kernels, with numbers that make sense for it
activations = st.sampled_from(
    [
        (name, first, second)
        for name in _core.activation_names()
        for first, second in ((1.0, 20.0), (0.3, 2.5))
    ]
)


@cases(sizes, sizes, activations)
def test_activation_forward_equals_twin(dtype, rows, cols, activation, values):
    name, *numbers = activation
    x = values(rows, cols)
    expected = twin.activation_forward(name, x, *numbers)
    agree([expected], lambda: [_core.activation_forward(name, x, None, "test", *numbers)])


@cases(sizes, sizes, activations)
def test_activation_backward_equals_twin(dtype, rows, cols, activation, values):
    name, *numbers = activation
    grad, x = values(rows, cols), values(rows, cols)
    expected = twin.activation_backward(name, grad, x, *numbers)
    agree([expected], lambda: [_core.activation_backward(name, grad, x, None, "test", *numbers)])


@cases(sizes, sizes.filter(bool))
def test_log_softmax_forward_equals_twin(dtype, rows, cols, values):
    x = values(rows, cols)
    agree([twin.log_softmax_forward(x)], lambda: [_core.log_softmax_forward(x)])


@cases(sizes, sizes.filter(bool))
def test_log_softmax_backward_equals_twin(dtype, rows, cols, values):
    grad, output = values(rows, cols), values(rows, cols)
    agree([twin.log_softmax_backward(grad, output)], lambda: [_core.log_softmax_backward(grad, output)])


@cases(sizes, sizes.filter(bool))
def test_softmax_forward_equals_twin(dtype, rows, cols, values):
    x = values(rows, cols)
    agree([twin.softmax_forward(x)], lambda: [_core.softmax_forward(x)])


@cases(sizes, sizes.filter(bool))
def test_softmax_backward_equals_twin(dtype, rows, cols, values):
    grad, output = values(rows, cols), values(rows, cols)
    agree([twin.softmax_backward(grad, output)], lambda: [_core.softmax_backward(grad, output)])


@cases(sizes, sizes.filter(bool))
def test_square_sum_equals_twin(dtype, rows, cols, values):
    x = values(rows, cols)
    agree([twin.square_sum(x)], lambda: [_core.square_sum([x])])


rates = st.sampled_from([0.0, 0.1, 0.9, 1e-3, 1.0])


@cases(sizes, rates, rates, rates, st.booleans())
def test_sgd_update_equals_twin(dtype, size, lr, momentum, weight_decay, nesterov, values):
    param, grad, velocity = values(size), values(size), values(size)
    options = (lr, momentum, weight_decay, nesterov)
    named = dict(zip(("lr", "momentum", "weight_decay", "nesterov"), options, strict=True))

    def ours():
        p, v = param.copy(), velocity.copy()
        _core.update([p], [grad], [(v if momentum else None,)], [_core.OptimizerSettings("sgd", named)], [0])
        return p, v

    expected = param.copy(), velocity.copy()
    twin.sgd_update(expected[0], grad, expected[1], *options)
    agree(expected, ours)


shares = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999])
steps = st.sampled_from([1, 2, 3, 10, 1000, 123456789])
flags = st.booleans()


def updated_by_all(name, options, step, values, size, update):
    """Compare one update by every table with the twin's; states are no less than 0, as second moments are."""
    param, grad = values(size), values(size)
    states = [np.abs(values(size)) for _ in range(3)]

    def ours():
        p, s = param.copy(), [state.copy() for state in states]
        settings = _core.OptimizerSettings(name, {**options, "steps": step - 1})
        _core.update([p], [grad], [s], [settings], [0])
        return p, *s

    expected, expected_states = param.copy(), [state.copy() for state in states]
    update(expected, grad, expected_states)
    agree([expected, *expected_states], ours)


@cases(sizes, steps, st.tuples(rates, shares, shares, rates, rates), st.tuples(flags, flags, flags))
def test_adam_update_equals_twin(dtype, size, step, numbers, switches, values):
    options = dict(zip(("lr", "beta1", "beta2", "eps", "weight_decay"), numbers, strict=True))
    options |= dict(zip(("amsgrad", "maximize", "decoupled_weight_decay"), switches, strict=True))
    updated_by_all(
        "adam",
        options,
        step,
        values,
        size,
        lambda p, g, s: twin.adam_update(p, g, s, step, numbers, switches),
    )


@cases(sizes, st.tuples(rates, shares, rates, rates, rates), st.tuples(flags, flags))
def test_rmsprop_update_equals_twin(dtype, size, numbers, switches, values):
    options = dict(zip(("lr", "alpha", "eps", "weight_decay", "momentum"), numbers, strict=True))
    options |= dict(zip(("centered", "maximize"), switches, strict=True))
    updated_by_all(
        "rmsprop", options, 1, values, size, lambda p, g, s: twin.rmsprop_update(p, g, s, numbers, switches)
    )


@cases(sizes, steps, st.tuples(rates, rates, rates, rates), flags)
def test_adagrad_update_equals_twin(dtype, size, step, numbers, maximize, values):
    options = dict(zip(("lr", "lr_decay", "eps", "weight_decay"), numbers, strict=True))
    options["maximize"] = maximize
    updated_by_all(
        "adagrad",
        options,
        step,
        values,
        size,
        lambda p, g, s: twin.adagrad_update(p, g, s, step, numbers, maximize),
    )


@cases(sizes.filter(bool), sizes.filter(bool), sizes.filter(bool), sizes.filter(bool))
def test_training_step_equals_twin(dtype, batch, inner, hidden, outer, values):
    x, target = values(batch, inner), values(batch, outer)
    initial = [values(hidden, inner), values(hidden), values(outer, hidden), values(outer)]
    options = (0.1, 0.9, 0.01, False)
    model = nt.Sequential(
        nt.Linear(inner, hidden, dtype=dtype), nt.ReLU(), nt.Linear(hidden, outer, dtype=dtype)
    )

    def ours():
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), *options))
        assert trainer.fused
        for parameter, value in zip(model.parameters(), initial, strict=True):
            parameter.data = value
        loss = trainer.step(x, target)
        return [loss, *(p.data.copy() for p in model.parameters()), *trainer.optimizer.velocity()]

    parameters = [value.copy() for value in initial]
    velocities = [np.zeros_like(value) for value in initial]
    before = twin.affine_forward(x, *parameters[:2])
    after = twin.relu_forward(before)
    prediction = twin.affine_forward(after, *parameters[2:])
    grad, *second = twin.affine_backward(twin.mse_backward(prediction, target), after, parameters[2])
    _, *first = twin.affine_backward(twin.relu_backward(grad, before), x, parameters[0])
    for parameter, gradient, velocity in zip(parameters, first + second, velocities, strict=True):
        twin.sgd_update(parameter, gradient, velocity, *options)
    agree([twin.mse_forward(prediction, target), *parameters, *velocities], ours)


@pytest.mark.parametrize(
    ("batch", "inner", "outer"),
    [
        (64, 784, 128),
        (5, 2500, 7),
        (129, 65, 257),
        (1, 3000, 40),
        *product([1], [70], [1, 3, 4, 5, 8, 12, 17]),  # one sample: fewer rows than lanes, and more
        *product([2, 4, 5, 8], [70], [2, 10, 33]),  # a few samples
        *product([3, 6, 20, 33], [1024], [1]),  # one output, of rows that fall into one set of the cache
        *product([2, 9, 24], [1], [66]),  # one input: its gradient is such a product
        *product([32, 35], [300], [2, 3, 8]),  # a few outputs
        (2100, 300, 8),  # the same, shared by threads
        *product([32, 35], [70], [10, 20]),  # outputs that would leave more lanes without work than samples
        (1100, 300, 10),  # the same, shared by threads, and some samples after the other
        (20, 400, 33),  # a panel that is used once, of several blocks of terms
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_large_affine_equals_twin(kind, batch, inner, outer, dtype, isa, threads):
    values = Values(kind, 0, dtype)
    x, weight, bias, grad = values(batch, inner), values(outer, inner), values(outer), values(batch, outer)
    for count in (1, 3):
        nt.set_num_threads(count)
        assert same_bits(_core.affine_forward(x, weight, bias), twin.affine_forward(x, weight, bias))
        found, expected = _core.affine_backward(grad, x, weight), twin.affine_backward(grad, x, weight)
        assert all(map(same_bits, found, expected))
