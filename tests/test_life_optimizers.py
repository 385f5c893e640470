"""An optimizer's life, for every public class: steps, groups, states, copies and mistakes in any order.

Each step gives, to the bit, what an optimizer does that was just made and has loaded the state of this one.
What a step computes: test_twin.py. LBFGS has no state, so that an optimizer just made is its twin, too.
"""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from life import DTYPES, REFUSALS, SEEDS, SHARES, by_class, live
from public_classes import OPTIMIZERS
from samples import same_bits, with_specials

SHAPES = st.lists(st.sampled_from([(1,), (3,), (16,), (17,), (2, 5), (33, 3)]), min_size=1, max_size=3)
MISTAKES = [
    lambda o: o.load_state_dict({}),
    lambda o: o.load_state_dict({**o.state_dict(), "other": []}),
    lambda o: o.load_state_dict({**o.state_dict(), "param_groups": []}),
    lambda o: o.set_options(lr=-1.0),
    lambda o: o.set_options(lr=0.5, other=1.0),
    lambda o: setattr(o, "lr", float("inf")),
    lambda o: setattr(o, "lr", "fast"),
    lambda o: o.add_param_group({"params": o.params[:1]}),
    lambda o: o.add_param_group({"params": [np.ones(3)]}),
    lambda o: o.add_param_group({"params": [nt.Parameter(np.ones(3))], "lr": -1}),
    lambda o: type(o)([]),
    lambda o: type(o)(o.params, lr=float("nan")),
]


class OptimizerLife(RuleBasedStateMachine):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    @initialize(dtype=DTYPES, shapes=SHAPES, options=st.integers(0, 100))
    def begin(self, dtype, shapes, options):
        self.dtype = np.dtype(dtype)
        self.options = OPTIMIZERS[self.kind][options % len(OPTIMIZERS[self.kind])]
        self.optimizer = self.kind(self.parameters(shapes), **self.options)

    def parameters(self, shapes, seed=0):
        return [
            nt.Parameter(with_specials(shape, self.dtype, 0.0, seed + i)) for i, shape in enumerate(shapes)
        ]

    def state(self):
        return pickle.dumps([self.optimizer.state_dict(), [p.data for p in self.optimizer.params]])

    def made_anew(self):
        groups = [{"params": copy.deepcopy(group["params"])} for group in self.optimizer.param_groups]
        twin = self.kind(groups, **self.options)
        twin.load_state_dict(self.optimizer.state_dict())
        return twin

    @rule(seed=SEEDS, share=SHARES, left_out=st.integers(0, 7))
    def take_gradients(self, seed, share, left_out):
        for i, parameter in enumerate(self.optimizer.params):
            grad = with_specials(parameter.shape, self.dtype, share, seed + i)
            parameter.grad = None if i == left_out else grad

    @rule()
    def step(self):
        twin = self.made_anew()
        grads = [None if p.grad is None else p.grad.copy() for p in self.optimizer.params]
        twin.step()
        self.optimizer.step()
        for ours, theirs, grad in zip(self.optimizer.params, twin.params, grads, strict=True):
            assert same_bits(ours.data, theirs.data)
            assert (ours.grad is None and grad is None) or same_bits(ours.grad, grad)
        for ours, theirs in zip(self.optimizer.states(), twin.states(), strict=True):
            assert all(a is b is None or same_bits(a, b) for a, b in zip(ours, theirs, strict=True))

    @rule()
    def clear_gradients(self):
        self.optimizer.zero_grad()
        assert all(parameter.grad is None for parameter in self.optimizer.params)

    @rule(lr=st.sampled_from([0.0, 1e-3, 0.5]))
    def change_the_rate(self, lr):
        self.optimizer.lr = lr
        assert all(group["lr"] == lr for group in self.optimizer.param_groups)

    @rule(decay=st.sampled_from([0.0, 0.25]))
    def change_the_decay(self, decay):
        self.optimizer.set_options(weight_decay=decay)
        assert self.optimizer.options()["weight_decay"] == decay

    @precondition(lambda self: len(self.optimizer.param_groups) < 3)
    @rule(shapes=SHAPES, lr=st.sampled_from([0.01, 0.1]))
    def add_a_group(self, shapes, lr):
        self.optimizer.add_param_group({"params": self.parameters(shapes, 50), "lr": lr})
        assert self.optimizer.param_groups[-1]["lr"] == lr

    @rule(how=st.sampled_from(["deepcopy", "pickle", "state"]))
    def replace_by_copy(self, how):
        before, grads = self.state(), [p.grad for p in self.optimizer.params]
        if how == "state":
            self.optimizer = self.made_anew()
        else:
            whole = copy.deepcopy if how == "deepcopy" else lambda value: pickle.loads(pickle.dumps(value))
            self.optimizer = whole(self.optimizer)
        for parameter, grad in zip(self.optimizer.params, grads, strict=True):
            parameter.grad = grad
        assert self.state() == before

    @rule(mistake=st.sampled_from(MISTAKES))
    def make_a_mistake(self, mistake):
        before = self.state()
        with pytest.raises(REFUSALS):
            mistake(self.optimizer)
        assert self.state() == before


@by_class(OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_optimizers_do_what_their_state_says_in_any_order_of_calls(kind):
    live(lambda: OptimizerLife(kind), lives=40)


class LBFGSLife(RuleBasedStateMachine):
    """Least squares of a random matrix, by closures that may fail at any of their calls."""

    @initialize(dtype=DTYPES, width=st.integers(1, 5), most=st.integers(1, 6), seed=SEEDS)
    def begin(self, dtype, width, most, seed):
        rng = np.random.default_rng(seed)
        self.matrix, self.options = rng.standard_normal((7, width)), {"max_iter": most}
        self.parameter = nt.Parameter(rng.standard_normal(width).astype(dtype))
        self.optimizer = nt.LBFGS([self.parameter], **self.options)

    def closure(self, parameter, fails_at=None, error=None):
        calls = iter(range(1000))

        def evaluate():
            if next(calls) == fails_at:
                raise error
            residual = self.matrix @ parameter.data - 1
            parameter.grad = (self.matrix.T @ residual).astype(parameter.dtype)
            return residual @ residual / 2

        return evaluate

    @rule()
    def step(self):
        twin = nt.Parameter(self.parameter.data.copy())
        expected = nt.LBFGS([twin], **self.options).step(self.closure(twin))
        steps = self.optimizer.steps
        assert self.optimizer.step(self.closure(self.parameter)) == expected
        assert same_bits(self.parameter.data, twin.data)
        assert steps <= self.optimizer.steps <= steps + self.options["max_iter"]

    @rule(
        fails_at=st.integers(0, 1),
        error=st.sampled_from([ValueError("stop"), KeyboardInterrupt(), MemoryError()]),
    )
    def fail(self, fails_at, error):
        before, steps = self.parameter.data.copy(), self.optimizer.steps
        try:
            self.optimizer.step(self.closure(self.parameter, fails_at, error))
        except type(error):
            assert same_bits(self.parameter.data, before)
            assert self.optimizer.steps == steps
        else:
            assert fails_at > 0  # it has ended before that call

    @rule(how=st.sampled_from(["deepcopy", "pickle"]))
    def replace_by_copy(self, how):
        pair = (self.parameter, self.optimizer)
        copied = copy.deepcopy(pair) if how == "deepcopy" else pickle.loads(pickle.dumps(pair))
        self.parameter, self.optimizer = copied
        assert self.optimizer.params[0] is self.parameter


def test_lbfgs_steps_as_one_that_was_just_made():
    live(LBFGSLife, lives=60)
