"""A model's life in any order of calls: forward, backward, step, load, copy, pickle, freeze, and mistakes.

hypothesis draws the order, shapes, layouts and values. After every call the model computes what its
parameters say, and a refused call has changed nothing.
"""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ne_torch import functional

import twin_layers as twin
from samples import LAYOUTS, contiguous, same_bits, with_specials

DTYPES = st.sampled_from(["float32", "float64"])
WIDTHS = st.sampled_from([1, 2, 3, 5, 8, 16, 17, 33])
ROWS = st.sampled_from([1, 2, 3, 7, 16, 33])
SEEDS = st.integers(0, 2**32 - 1)
MIDDLES = ["nothing", "layer norm", "batch norm", "dropout", "residual"]


def middle_layers(kind, width, dtype):
    inner = nt.Linear(width, width, dtype=dtype, rng=4)
    layers = {
        "layer norm": nt.LayerNorm(width, dtype=dtype),
        "batch norm": nt.BatchNorm1d(width, dtype=dtype),
        "dropout": nt.Dropout(0.4, rng=3),
        "residual": nt.Residual(inner, nt.Dropout(0.2, rng=5), nt.ReLU()),
    }
    return [] if kind == "nothing" else [layers[kind]]


class ModelLife(RuleBasedStateMachine):
    @initialize(
        dtype=DTYPES,
        widths=st.tuples(WIDTHS, WIDTHS, WIDTHS),
        bias=st.booleans(),
        middle=st.sampled_from(MIDDLES),
        tail=st.booleans(),
    )
    def begin(self, dtype, widths, bias, middle, tail):
        self.dtype, self.widths = np.dtype(dtype), widths
        first, second, third = widths
        layers = [
            nt.Linear(first, second, bias, dtype, rng=0),
            nt.ReLU(),
            *middle_layers(middle, second, dtype),
            nt.Linear(second, third, bias, dtype, rng=1),
        ]
        self.model = nt.Sequential(*layers, *[nt.Softmax()] * tail)
        self.optimizer = nt.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.x = self.has_grad = None

    def values(self, rows, width, seed, share=0.0):
        return with_specials((rows, width), self.dtype, share, seed)

    def expected(self, x, training=False):
        """Compute the model's output from its parameters and buffers alone."""
        for layer in self.model:
            x = self.expected_of(layer, x, training)
        return x

    def expected_of(self, layer, x, training):
        if isinstance(layer, nt.Linear):
            return functional.affine_forward(x, layer.weight, layer.bias)
        if isinstance(layer, nt.ReLU):
            return functional.relu_forward(x)
        if isinstance(layer, nt.LayerNorm):
            return twin.layer_norm_forward(x, layer.weight, layer.bias, layer.eps)[0]
        if isinstance(layer, nt.BatchNorm1d):
            both, running = (layer.weight, layer.bias), (layer.running_mean, layer.running_var)
            if training:
                return twin.batch_norm_forward(x, *both, layer.eps, 0.1, *(a.copy() for a in running))[0]
            return twin.batch_norm_eval(x, *both, *running, layer.eps)
        if isinstance(layer, nt.Dropout):
            return twin.dropout(x, *layer.stream.tolist(), layer.p) if training else x
        if isinstance(layer, nt.Residual):
            y = x
            for inner in layer:
                y = self.expected_of(inner, y, training)
            return x + y
        return functional.softmax_forward(x)

    @property
    def takes_one_sample(self):
        return not any(isinstance(layer, nt.BatchNorm1d) for layer in self.model)

    def bits(self):
        arrays = [p.data for p in self.model.parameters()] + list(self.model.named_buffers().values())
        return [array.tobytes() for array in arrays]

    @rule(training=st.booleans())
    def choose_mode(self, training):
        assert self.model.train(training).training == training

    @rule(rows=ROWS, seed=SEEDS, layout=st.sampled_from(sorted(LAYOUTS)), share=st.sampled_from([0.0, 0.1]))
    def forward(self, rows, seed, layout, share):
        x = LAYOUTS[layout](self.values(rows, self.widths[0], seed, share))
        dense = contiguous(x, self.dtype)
        if dense.shape[-1] != self.widths[0]:
            return  # a layout that turns the axes of a column
        if self.model.training and len(dense) == 1 and not self.takes_one_sample:
            return
        expected = self.expected(dense, self.model.training)
        self.x = dense
        assert same_bits(self.model.forward(x), expected)

    @precondition(lambda self: self.x is not None)
    @rule(seed=SEEDS)
    def backward(self, seed):
        grad = self.values(len(self.x), self.widths[2], seed)
        found = self.model.backward(grad)
        assert found.shape == self.x.shape
        assert all(p.grad.shape == p.shape for p in self.model.parameters())
        self.has_grad = True

    @precondition(lambda self: self.has_grad)
    @rule(rate=st.sampled_from([0.0, 1e-3, 0.5]))
    def step(self, rate):
        before = [p.data.copy() for p in self.model.parameters()]
        self.model.step(rate)
        for parameter, old in zip(self.model.parameters(), before, strict=True):
            grad = parameter.grad.astype(np.longdouble)
            with np.errstate(all="ignore"):
                exact = (old - self.dtype.type(rate) * grad).astype(self.dtype)
            np.testing.assert_allclose(parameter.data, exact, rtol=4 * np.finfo(self.dtype).eps)

    @precondition(lambda self: self.has_grad)
    @rule()
    def optimize(self):
        self.optimizer.step()

    @rule()
    def clear_gradients(self):
        self.optimizer.zero_grad()
        self.has_grad = None

    @rule(seed=SEEDS)
    def load(self, seed):
        state = {
            name: with_specials(value.shape, self.dtype, 0, seed) if value.shape else np.int64(seed)
            for name, value in self.model.state_dict().items()
        }
        self.model.load_state_dict(state)
        assert all(same_bits(value, state[name]) for name, value in self.model.state_dict().items())

    @rule(how=st.sampled_from(["deepcopy", "pickle"]))
    def replace_by_copy(self, how):
        pair = (self.model, self.optimizer)
        model, optimizer = copy.deepcopy(pair) if how == "deepcopy" else pickle.loads(pickle.dumps(pair))
        before, self.model = self.bits(), model
        assert self.bits() == before
        assert all(a is b for a, b in zip(optimizer.params, model.parameters(), strict=True))
        self.optimizer, self.x = optimizer, None

    @rule(rows=ROWS, seed=SEEDS)
    def freeze(self, rows, seed):
        predictor, x = self.model.freeze(), self.values(rows, self.widths[0], seed)
        expected = self.expected(x)
        assert same_bits(predictor(x), expected)
        assert same_bits(pickle.loads(pickle.dumps(predictor))(x), expected)

    @rule(rows=ROWS, seed=SEEDS)
    def train_fused(self, rows, seed):
        """One fused step gives the bits of the layers' own."""
        rows += not self.takes_one_sample
        x, target = self.values(rows, self.widths[0], seed), self.values(rows, self.widths[2], seed + 1)
        model, twin_optimizer = copy.deepcopy((self.model, self.optimizer))
        trainer = nt.Trainer(self.model, loss=nt.MSELoss(), optimizer=self.optimizer)
        assert trainer.fused
        loss = nt.MSELoss()
        expected = loss.forward(model.train().forward(x), target)
        model.backward(loss.backward())
        twin_optimizer.step()
        assert trainer.step(x, target) == expected or np.isnan(expected)
        found = (p.data for p in self.model.parameters())
        assert all(map(same_bits, found, (p.data for p in model.parameters())))
        found = self.model.named_buffers().values()
        assert all(map(same_bits, found, model.named_buffers().values()))

    @rule(
        mistake=st.sampled_from(
            [
                lambda m: m.model.forward(np.ones((2, m.widths[0] + 1), m.dtype)),
                lambda m: m.model.forward(np.ones((2, m.widths[0]), int)),
                lambda m: m.model.forward("text"),
                lambda m: m.model.backward(np.ones((1000, m.widths[2]), m.dtype)),
                lambda m: m.model.step("fast"),
                lambda m: m.model.step(float("nan")),
                lambda m: m.model.load_state_dict({}),
                lambda m: m.model.load_state_dict(None),
                lambda m: m.model.load_state_dict(
                    {k: v.ravel()[:0] for k, v in m.model.state_dict().items()}
                ),
                lambda m: m.model.freeze("int4"),
                lambda m: m.model.append(3),
                lambda m: setattr(m.model[0], "weight", np.ones((1, 1, 1))),
                lambda m: setattr(m.optimizer, "lr", -1.0),
            ]
        )
    )
    def make_a_mistake(self, mistake):
        before, length = self.bits(), len(self.model)
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            mistake(self)
        assert self.bits() == before
        assert len(self.model) == length

    @invariant()
    def the_model_computes_what_its_parameters_say(self):
        if hasattr(self, "model"):
            x = self.values(3, self.widths[0], 0)
            assert same_bits(self.model.freeze()(x), self.expected(x))


ModelLife.TestCase.settings = settings(
    max_examples=400,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
class TestModelLife(ModelLife.TestCase):
    pass
