"""A scheduler's life, for every public class: steps, copies, pickles, states loaded, mistakes, in any order.

The hyperparameters after each step are those of one that was stepped as often and left in peace, which
test_lr_scheduler.py compares with torch's.
"""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from life import REFUSALS, by_class, live
from public_classes import SCHEDULERS
from test_lr_scheduler import read

MISTAKES = [
    lambda s: s.load_state_dict({}),
    lambda s: s.load_state_dict({**s.state_dict(), "other": 1}),
    lambda s: s.load_state_dict({**s.state_dict(), "last_epoch": -2}),
    lambda s: s.load_state_dict({**s.state_dict(), "last_epoch": "1"}),
    lambda s: s.load_state_dict({**s.state_dict(), "base_lrs": []}),
]


def made(make, groups):
    """Return an optimizer and its scheduler."""
    lrs = (0.5, 0.02)[:groups]
    optimizer = nt.SGD([{"params": [nt.Parameter(np.ones(2))], "lr": lr} for lr in lrs], momentum=0.9)
    return optimizer, make(optimizer)


class SchedulerLife(RuleBasedStateMachine):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.metrics = kind, []

    @initialize(variant=st.integers(0, 100), groups=st.integers(1, 2))
    def begin(self, variant, groups):
        makers = SCHEDULERS[self.kind]
        self.make, self.groups = makers[variant % len(makers)], groups
        self.optimizer, self.scheduler = made(self.make, groups)

    def step_one(self, scheduler, metric):
        scheduler.step(*([metric] if self.kind is nt.lr_scheduler.ReduceLROnPlateau else []))

    @rule(metrics=st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan")]), min_size=1, max_size=4))
    def step(self, metrics):
        for metric in metrics:
            self.step_one(self.scheduler, metric)
        self.metrics += metrics

    @rule(how=st.sampled_from(["deepcopy", "pickle", "state"]))
    def replace_by_copy(self, how):
        pair = (self.optimizer, self.scheduler)
        if how == "state":
            optimizer, scheduler = made(self.make, self.groups)
            optimizer.load_state_dict(self.optimizer.state_dict())
            scheduler.load_state_dict(self.scheduler.state_dict())
        else:
            whole = copy.deepcopy if how == "deepcopy" else lambda value: pickle.loads(pickle.dumps(value))
            optimizer, scheduler = whole(pair)
        self.optimizer, self.scheduler = optimizer, scheduler
        assert scheduler.optimizer is optimizer

    @rule(mistake=st.sampled_from(MISTAKES))
    def make_a_mistake(self, mistake):
        before = repr(self.scheduler.state_dict())
        with pytest.raises(REFUSALS):
            mistake(self.scheduler)
        assert repr(self.scheduler.state_dict()) == before

    @invariant()
    def it_is_where_one_left_in_peace_is(self):
        if not hasattr(self, "scheduler"):
            return
        optimizer, scheduler = made(self.make, self.groups)
        for metric in self.metrics:
            self.step_one(scheduler, metric)
        assert read(self.optimizer) == read(optimizer)
        assert self.scheduler.last_epoch == len(self.metrics)


@by_class(SCHEDULERS)
def test_schedulers_do_what_their_count_says_in_any_order_of_calls(kind):
    live(lambda: SchedulerLife(kind), lives=25)
