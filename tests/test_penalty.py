"""What weight decay is the gradient of, added up over the steps of an epoch: a cursor of three numbers."""

import ne_torch as nt
import numpy as np
import pytest

from samples import normal

SAMPLES, BATCH = 90, 40


def make(dtype, optimizer="Adam", fused=True, hidden=19):
    model = nt.Sequential(
        nt.Linear(7, hidden, dtype=dtype, rng=0),
        nt.LayerNorm(hidden, dtype=dtype),
        nt.Residual(nt.Linear(hidden, hidden, dtype=dtype, rng=1), nt.Tanh()),
        nt.Linear(hidden, 3, dtype=dtype, rng=2),
    )
    parameters = model.parameters()
    decayed, others = parameters[0::3], [p for i, p in enumerate(parameters) if i % 3]
    groups = [{"params": decayed, "weight_decay": 0.3}, {"params": others, "weight_decay": 0.0}]
    optimizer = getattr(nt, optimizer)(groups, lr=0.05)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)
    stepper = trainer._stepper
    assert trainer.fused
    if not fused:
        stepper.renew = lambda: None
        stepper.engine = None
    return model, decayed, stepper


def data(dtype):
    return normal((SAMPLES, 7), dtype), normal((SAMPLES, 3), dtype, 1), None


def epoch(stepper, dtype, seconds=1.0):
    order, cursor = np.random.default_rng(0).permutation(SAMPLES), [0, 0.0, 0.0]
    while cursor[0] < SAMPLES:
        stepper.run(data(dtype), order, cursor, BATCH, seconds)
    return cursor


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "layer by layer"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_the_penalty_is_that_of_the_weights_before_each_step(fused, optimizer, dtype):
    _, decayed, stepper = make(dtype, optimizer, fused)
    expected = 0.0
    order, cursor = np.random.default_rng(0).permutation(SAMPLES), [0, 0.0, 0.0]
    for count in (40, 40, 10):
        squares = sum(float(np.sum(parameter.data.astype("float64") ** 2)) for parameter in decayed)
        expected += count * 0.3 / 2 * squares
        stepper.run(data(dtype), order, cursor, BATCH, 0.0)  # one step at a time
        assert cursor[2] == pytest.approx(expected, rel=1e-6)
    assert cursor[0] == SAMPLES


def test_asking_for_it_changes_no_bit_and_no_loss(dtype):
    plain, _, stepper = make(dtype)
    cursor = [0, 0.0]
    stepper.run(data(dtype), None, cursor, BATCH, 9.0)
    asked, _, stepper = make(dtype)
    longer = [0, 0.0, 0.0]
    stepper.run(data(dtype), None, longer, BATCH, 9.0)
    assert longer[:2] == cursor
    assert longer[2] > 0
    for a, b in zip(plain.parameters(), asked.parameters(), strict=True):
        assert a.data.tobytes() == b.data.tobytes()


@pytest.mark.usefixtures("threads")
def test_any_number_of_threads_gives_the_same_bits(dtype):
    results = []
    for count in (1, 2, 3):
        nt.set_num_threads(count)
        results.append(epoch(make(dtype, hidden=210)[2], dtype))  # enough to be shared
    assert results[0] == results[1] == results[2]


def test_turns_in_between_change_nothing(dtype):
    assert epoch(make(dtype)[2], dtype) == epoch(make(dtype)[2], dtype, seconds=0.0)


def test_a_decoupled_decay_has_none(dtype):
    assert epoch(make(dtype, "AdamW")[2], dtype)[2] == 0.0
