"""A loss' life, for every public class and all their options: forward, backward, copy, pickle, mistakes.

Whatever has happened to a loss, it gives to the bit what one does that was just made; backward is of the last
forward that was not refused; the data are not written to. What the numbers are: test_twin_losses.py.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from life import COPIES, DTYPES, REFUSALS, SEEDS, by_class, live
from public_classes import LOSSES
from samples import LAYOUTS, contiguous, same_bits, special_values

CLASSES = 6  # as many as the weights in loss_cases have
MISTAKES = [
    lambda loss, x, target: loss(x, target[:1]),
    lambda loss, x, target: loss(x[:, :0], target),
    lambda loss, x, target: loss(x.astype("int64"), target),
    lambda loss, x, target: loss(x, target.astype("complex64")),
    lambda loss, x, target: loss(None, target),
    lambda loss, x, target: loss(x, target, -np.ones(len(x), x.dtype)),
    lambda loss, x, target: loss(x, target, np.ones(len(x) + 1, x.dtype)),
    lambda loss, x, target: loss.backward(np.ones((5, 5, 5), x.dtype)),
    lambda loss, x, target: loss.backward("1"),
    lambda loss, x, target: type(loss)(reduction="some"),
]


class LossLife(RuleBasedStateMachine):
    def __init__(self, kind):
        super().__init__()
        self.cases, self.twin = LOSSES[kind], None

    @initialize(dtype=DTYPES, case=st.integers(0, 100), reduction=st.sampled_from(["mean", "sum", "none"]))
    def begin(self, dtype, case, reduction):
        self.dtype = np.dtype(dtype)
        self.case, self.reduction = self.cases[case % len(self.cases)], reduction
        self.loss = self.case.ours(reduction)

    @rule(
        rows=st.sampled_from([2, 3, 7, 33]),
        seed=SEEDS,
        special=st.booleans(),
        layout=st.sampled_from(sorted(LAYOUTS.keys() - {"list"})),
        weighted=st.booleans(),
    )
    def forward(self, rows, seed, special, layout, weighted):
        x, target = self.case.data(rows, CLASSES, self.dtype, seed)
        if special:
            x[seed % rows, seed % CLASSES] = special_values(self.dtype)[seed % 25]
        x, laid_out = contiguous(LAYOUTS[layout](x), self.dtype), LAYOUTS[layout](x)
        weight = np.random.default_rng(seed).choice([0.0, 0.3, 2.0], rows).astype(self.dtype)
        weight = weight if weighted else None
        self.twin = self.case.ours(self.reduction)
        self.x, self.target = x.copy(), target.copy()
        self.value = self.twin(self.x, self.target, weight)
        assert same_bits(self.loss(laid_out, target, weight), self.value)
        assert same_bits(contiguous(laid_out, self.dtype), x)
        assert np.array_equal(target, self.target)

    @precondition(lambda self: self.twin is not None)
    @rule(seed=SEEDS)
    def backward(self, seed):
        grad = None
        if self.reduction == "none":
            grad = np.random.default_rng(seed).standard_normal(self.value.shape).astype(self.dtype)
        found = self.loss.backward(grad)
        assert found.shape == self.x.shape
        assert same_bits(found, self.twin.backward(grad))

    @rule(copied=COPIES)
    def replace_by_copy(self, copied):
        options = self.loss.options()
        self.loss, self.twin = copied(self.loss), None
        assert self.loss.options() == options
        with pytest.raises(RuntimeError, match="expected forward before backward"):
            self.loss.backward()

    @precondition(lambda self: self.twin is not None)
    @rule(mistake=st.sampled_from(MISTAKES))
    def make_a_mistake(self, mistake):
        with pytest.raises(REFUSALS):
            mistake(self.loss, self.x, self.target)


@by_class(LOSSES)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_losses_do_what_their_options_say_in_any_order_of_calls(kind):
    live(lambda: LossLife(kind), lives=25)
