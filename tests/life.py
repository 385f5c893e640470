"""Lives: a state machine of hypothesis for each row of a table, each on its own, so that none is left out."""

import copy
import pickle

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

DTYPES = st.sampled_from(["float32", "float64"])
WIDTHS = st.sampled_from([1, 2, 3, 8, 17, 33])
SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.0, 0.1])
COPIES = st.sampled_from([copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
REFUSALS = (ValueError, TypeError, RuntimeError)


def live(machine, lives, calls=20):
    """Run so many lives of so many calls; the same ones every time."""
    chosen = settings(
        max_examples=lives,
        stateful_step_count=calls,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def by_class(table):
    """Parametrize a test by the classes of a table."""
    return pytest.mark.parametrize("kind", table, ids=lambda kind: kind.__name__)
