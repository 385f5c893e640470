"""Trainer with a scheduler: by steps and by epochs, fused and layer by layer, stopped and resumed."""

import copy
import signal
import threading

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.receipt import verify

from samples import normal, same_bits

S = nt.lr_scheduler
PER_STEP = {
    "one cycle": lambda o: S.OneCycleLR(o, [0.3, 0.1], total_steps=60),
    "warm-up": lambda o: S.LinearLR(o, 0.01, total_iters=20, per_step=True),
    "warm-up, cosine": lambda o: S.SequentialLR(
        o,
        [S.LinearLR(o, 0.1, total_iters=8, per_step=True), S.CosineAnnealingLR(o, 40, per_step=True)],
        [8],
    ),
    "lambda": lambda o: S.LambdaLR(o, lambda count: 0.9**count, per_step=True),
    "momentum from 0": lambda o: S.OneCycleLR(
        o, 0.1, total_steps=60, max_momentum=0.5, base_momentum=0.0, anneal_strategy="linear"
    ),
}
PER_EPOCH = {
    "step": lambda o: S.StepLR(o, 2, 0.5),
    "plateau": lambda o: S.ReduceLROnPlateau(o, patience=0, threshold=0.5),
    "chained": lambda o: S.ChainedScheduler([S.LinearLR(o, 0.5), S.ExponentialLR(o, 0.9)]),
}
BOTH = {**PER_STEP, **PER_EPOCH}
X, TARGET = normal((33, 13), "float32", 1), normal((33, 5), "float32", 2)
FIT = {"batch_size": 8, "rng": 5}  # five steps an epoch


def make(kind, optimizer="SGD", dtype="float32", fused=True, **options):
    model = nt.Sequential(
        nt.Linear(13, 17, dtype=dtype, rng=3), nt.ReLU(), nt.Linear(17, 5, dtype=dtype, rng=4)
    )
    groups = [{"params": model.parameters()[:2]}, {"params": model.parameters()[2:], "lr": 0.02}]
    optimizer = getattr(nt, optimizer)(groups, **{"lr": 0.1, **options})
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=BOTH[kind](optimizer))
    assert trainer.fused
    if not fused:
        trainer._stepper.renew = lambda: None
        trainer._stepper.engine = None
    return trainer


def arrays(trainer):
    states = [s for all_ in trainer.optimizer.states() for s in all_ if s is not None]
    return [*(p.data for p in trainer.model.parameters()), *states]


def numbers(trainer):
    return [group.options() for group in trainer.optimizer.param_groups], trainer.scheduler.state_dict()


def assert_same(a, b):
    assert numbers(a) == numbers(b)
    assert len(arrays(a)) == len(arrays(b))
    assert all(map(same_bits, arrays(a), arrays(b)))


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("kind", PER_STEP)
def test_fused_schedule_equals_steps_by_hand(kind, optimizer, isa, dtype, threads, monkeypatch):
    """The trainer's table against the loop that people write: optimizer.step(), scheduler.step()."""
    x, target = X.astype(dtype), TARGET.astype(dtype)
    by_hand = make(kind, optimizer, dtype, fused=False)
    model, loss, sgd, scheduler = by_hand.model, by_hand.loss, by_hand.optimizer, by_hand.scheduler
    for _ in range(4):
        for begin in range(0, 33, 8):
            loss.forward(model.forward(x[begin : begin + 8]), target[begin : begin + 8])
            model.backward(loss.backward())
            sgd.step()
            scheduler.step()
    for count in (1, 2):
        nt.set_num_threads(count)
        for coming in (64, 3, 1):
            monkeypatch.setattr("ne_torch.lr_scheduler.scheduler._COMING", coming)
            fused = make(kind, optimizer, dtype)
            fused.fit(x, target, epochs=4, batch_size=8, shuffle=False)
            assert fused.scheduler.last_epoch == 20
            assert_same(fused, by_hand)


@pytest.mark.parametrize("kind", BOTH)
def test_fused_training_equals_layer_by_layer(kind):
    fused, layered = make(kind), make(kind, fused=False)
    found = fused.fit(X, TARGET, epochs=6, **FIT, validation_data=(X, TARGET))
    expected = layered.fit(X, TARGET, epochs=6, **FIT, validation_data=(X, TARGET))
    assert found.loss == expected.loss
    assert found.validation_loss == expected.validation_loss
    assert_same(fused, layered)
    assert fused.scheduler.last_epoch == (30 if kind in PER_STEP else 6)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", PER_STEP)
def test_step_moves_a_scheduler_of_steps(kind, fused):
    by_fit, by_steps = make(kind), make(kind, fused=fused)
    by_fit.fit(X, TARGET, epochs=2, batch_size=33, shuffle=False)
    by_steps.step(X, TARGET)
    by_steps.step(X, TARGET)
    assert_same(by_fit, by_steps)


def test_step_leaves_a_scheduler_of_epochs():
    trainer = make("step")
    trainer.step(X, TARGET)
    assert trainer.scheduler.last_epoch == 0


def test_plateau_watches_the_validation_loss():
    far = TARGET + 100  # a validation loss that hardly moves
    watching, training = make("plateau"), make("plateau")
    watching.fit(X, TARGET, epochs=4, **FIT, validation_data=(X, far))
    training.fit(X, TARGET, epochs=4, **FIT)
    assert watching.scheduler.best > 1000
    assert training.scheduler.best == training._state.history.loss[0]
    assert watching.optimizer.lr == pytest.approx(0.1**4)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", BOTH)
def test_stopped_training_goes_on_to_the_same_bits(kind, fused, tmp_path):
    whole = make(kind)
    whole.fit(X, TARGET, epochs=5, **FIT)
    stopped = make(kind, fused=fused)
    stopped.fit(X, TARGET, epochs=5, **FIT, max_steps=8)
    assert stopped.scheduler.last_epoch == (8 if kind in PER_STEP else 1)
    copied = copy.deepcopy(stopped)
    assert copied.scheduler.optimizer is copied.optimizer
    loaded = make(kind, fused=fused)
    stopped.save(tmp_path / "trainer.safetensors")
    loaded.load(tmp_path / "trainer.safetensors")
    for trainer in (stopped, copied, loaded):
        trainer.fit(X, TARGET, epochs=5, batch_size=8, resume=True)
        assert_same(trainer, whole)


@pytest.mark.parametrize("kind", PER_EPOCH)
def test_epoch_that_is_interrupted_at_its_end_is_counted_once(kind):
    whole, stopped = make(kind), make(kind)
    whole.fit(X, TARGET, epochs=5, **FIT)

    def interrupt(epoch, history):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.fit(X, TARGET, epochs=5, **FIT, callbacks=[interrupt])
    assert stopped.scheduler.last_epoch == 2
    stopped.fit(X, TARGET, epochs=5, batch_size=8, resume=True)
    assert_same(stopped, whole)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", ["lambda", "step", "plateau"])
def test_interrupts_leave_optimizer_and_scheduler_at_one_step(kind, fused, keyboard):
    """Ctrl-C again and again, wherever it falls; the end is that of a training in peace."""
    whole, stopped = make(kind), make(kind, fused=fused)
    whole.fit(X, TARGET, epochs=40, **FIT)
    interrupts, resume = 0, False
    while stopped._state is None or stopped._state.epoch < 40:
        timer = threading.Timer(0.004 + 0.0007 * (interrupts % 7), signal.raise_signal, [signal.SIGINT])
        try:
            timer.start()
            stopped.fit(X, TARGET, epochs=40, batch_size=8, **({"resume": True} if resume else {"rng": 5}))
            timer.cancel()
            timer.join()
        except KeyboardInterrupt:
            interrupts += 1
        finally:
            timer.join()
        resume = stopped._state is not None
        steps, counted = stopped.optimizer.steps, stopped.scheduler.last_epoch
        assert counted == (steps if kind in PER_STEP else (0 if not resume else stopped._state.epoch))
    assert_same(stopped, whole)


def test_a_cycle_that_ends_in_training_is_said_before_the_step():
    model = nt.Sequential(nt.Linear(13, 5, rng=0))
    optimizer = nt.SGD(model.parameters(), momentum=0.9)
    scheduler = S.OneCycleLR(optimizer, 0.1, total_steps=7)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=scheduler)
    with pytest.raises(ValueError, match="expected 7 steps at most"):
        trainer.fit(X, TARGET, epochs=2, **FIT)
    assert optimizer.steps == scheduler.last_epoch == 7
    assert trainer._state.cursor[0] == 16


def test_hyperparameters_set_between_epochs_are_taken_up():
    def halve(trainer):
        def callback(epoch, history):
            if epoch == 1:
                trainer.optimizer.param_groups[0]["lr"] = 0.25

        return callback

    fused, layered = make("warm-up"), make("warm-up", fused=False)
    for trainer in (fused, layered):
        trainer.fit(X, TARGET, epochs=5, **FIT, callbacks=[halve(trainer)])
    assert_same(fused, layered)
    assert fused.optimizer.lr > 0.25


def test_scheduler_of_another_optimizer_is_refused():
    trainer = make("step")
    parts = {"loss": trainer.loss, "optimizer": nt.SGD(trainer.model.parameters())}
    with pytest.raises(ValueError, match="expected the scheduler of its optimizer"):
        nt.Trainer(trainer.model, **parts, scheduler=trainer.scheduler)
    with pytest.raises(TypeError, match=r"expected a scheduler of ne_torch.lr_scheduler, got float"):
        nt.Trainer(trainer.model, **parts, scheduler=0.1)


def test_file_of_another_scheduler_is_refused(tmp_path):
    make("step").save(tmp_path / "trainer.safetensors")
    for other in (make("plateau"), make("one cycle")):
        before = numbers(other), [array.copy() for array in arrays(other)]
        with pytest.raises(ValueError, match="expected the scheduler StepLR, got"):
            other.load(tmp_path / "trainer.safetensors")
        assert numbers(other) == before[0]
        assert all(map(same_bits, arrays(other), before[1]))


def test_receipts_record_epochs_but_not_steps(tmp_path):
    trainer = make("step")
    trainer.fit(X, TARGET, epochs=4, **FIT, receipt=tmp_path / "run.json")
    assert verify(tmp_path / "run.json", (X, TARGET)) is None
    with pytest.raises(TypeError, match="no scheduler that counts steps, for a receipt"):
        make("one cycle").fit(X, TARGET, epochs=1, **FIT, receipt=tmp_path / "other.json")


def test_one_cycle_trains_a_net():
    x = np.linspace(-1, 1, 256, dtype="float32")[:, None]
    model = nt.Sequential(nt.Linear(1, 32, rng=0), nt.ReLU(), nt.Linear(32, 1, rng=1))
    optimizer = nt.AdamW(model.parameters())
    scheduler = S.OneCycleLR(optimizer, 0.02, epochs=30, steps_per_epoch=8)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=scheduler)
    history = trainer.fit(x, np.sin(3 * x), epochs=30, batch_size=32, rng=0)
    assert history.loss[-1] < 0.05 * history.loss[0]
