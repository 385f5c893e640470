"""A trainer's life: nets of any layers, any loss, any optimizer and scheduler; steps, fits, files, mistakes.

After every call the model is, to the bit, where layer by layer has brought another one: the layers' own
forward and backward, the optimizer's and the scheduler's own step. A refused call changes nothing. The
callbacks, and what they write, are those of a training that nobody has stopped.
"""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from life import DTYPES, REFUSALS, SEEDS, SHARES, WIDTHS, by_class, live
from public_classes import LAYERS, LOSSES, OPTIMIZERS, SCHEDULERS
from samples import same_bits, with_specials

CLASSES = 6
NAMED = {kind.__name__: kind for kind in (*LAYERS, *LOSSES, *OPTIMIZERS)}
MIDDLES = sorted(kind.__name__ for kind in LAYERS if kind not in (nt.Embedding, nt.TabularEmbedding))
STEADY = sorted(k.__name__ for k in SCHEDULERS if k is not nt.lr_scheduler.ReduceLROnPlateau)


class TrainerLife(RuleBasedStateMachine):
    def __init__(self, optimizer, folder):
        super().__init__()
        self.kind, self.path = optimizer, folder / "trainer.safetensors"

    @initialize(
        dtype=DTYPES,
        width=WIDTHS,
        middles=st.lists(st.sampled_from(MIDDLES), max_size=3),
        tabular=st.booleans(),
        loss=st.sampled_from(sorted(kind.__name__ for kind in LOSSES)),
        reduction=st.sampled_from(["mean", "sum"]),
        scheduler=st.sampled_from([None, *STEADY]),
        seed=SEEDS,
    )
    def begin(self, dtype, width, middles, tabular, loss, reduction, scheduler, seed):
        self.dtype, self.width, self.tabular = np.dtype(dtype), width, tabular
        layers = [nt.TabularEmbedding(width, {0: (3, 2)}, dtype=dtype, rng=1)] * tabular
        features = width + tabular
        for name in middles:
            makers = LAYERS[NAMED[name]]
            layers.append(makers[seed % len(makers)](dtype, features))
            x = np.ones((2, features), dtype)
            features = copy.deepcopy(layers[-1]).forward(x).shape[-1]
        layers.append(nt.Linear(features, CLASSES, dtype=dtype, rng=7))
        model = nt.Sequential(*layers)
        cases, options = LOSSES[NAMED[loss]], OPTIMIZERS[self.kind]
        self.case = cases[seed % len(cases)]
        optimizer = self.kind(model.parameters(), **{"lr": 0.01, **options[seed % len(options)]})
        if scheduler == "OneCycleLR" and not {"momentum", "beta1"} & {*self.kind._option_names}:
            scheduler = None  # it has nothing to cycle against the learning rate
        makers = SCHEDULERS[getattr(nt.lr_scheduler, scheduler)] if scheduler else [lambda _: None]
        scheduler = makers[seed % len(makers)](optimizer)
        self.trainer = nt.Trainer(
            model, loss=self.case.ours(reduction), optimizer=optimizer, scheduler=scheduler
        )
        assert self.trainer.fused
        whole = (model, self.case.ours(reduction), optimizer, scheduler)
        self.twin = copy.deepcopy(whole)

    def batch(self, rows, seed, share):
        x = with_specials((rows, self.width), self.dtype, share, seed)
        if self.tabular:
            x[:, 0] = np.random.default_rng(seed).integers(0, 3, rows)
        return x, self.case.data(rows, CLASSES, self.dtype, seed)[1]

    def state(self, model, optimizer):
        arrays = [*(p.data for p in model.parameters()), *model.named_buffers().values()]
        states = [array for states in optimizer.states() for array in states]
        return [None if array is None else array for array in (*arrays, *states)]

    def check(self):
        ours = self.state(self.trainer.model, self.trainer.optimizer)
        theirs = self.state(self.twin[0], self.twin[2])
        for found, expected in zip(ours, theirs, strict=True):
            assert found is expected is None or same_bits(found, expected)
        assert self.trainer.optimizer.options() == self.twin[2].options()

    def step_twin(self, x, target, weight=None):
        model, loss, optimizer, scheduler = self.twin
        value = loss(model.train().forward(x), target, weight)
        model.backward(loss.backward())
        optimizer.step()
        if scheduler is not None and scheduler.per_step:
            scheduler.step()
        return value

    @rule(rows=st.sampled_from([2, 3, 16, 33]), seed=SEEDS, share=SHARES, weighted=st.booleans())
    def step(self, rows, seed, share, weighted):
        x, target = self.batch(rows, seed, share)
        weight = np.random.default_rng(seed).choice([0.5, 2.0], rows).astype(self.dtype) if weighted else None
        found, expected = self.trainer.step(x, target, weight), self.step_twin(x, target, weight)
        assert found == expected or np.isnan(expected)
        self.check()

    @rule(rows=st.sampled_from([2, 8, 13]), seed=SEEDS, epochs=st.integers(1, 3), stop=st.integers(1, 4))
    def fit(self, rows, seed, epochs, stop):
        """In batches of 6, 7 or 8; stopped and resumed."""
        x, target = self.batch(rows, seed, 0.0)
        size = 7 if rows == 13 else 8  # no batch of one sample
        options = {"epochs": epochs, "batch_size": size}
        self.trainer.fit(x, target, rng=seed, max_steps=stop, **options)
        history = self.trainer.fit(x, target, resume=True, **options)
        assert len(history) == epochs
        generator = nt.Generator(seed)
        for _ in range(epochs):
            order = generator.permutation(rows)
            for first in range(0, rows, size):
                part = order[first : first + size]
                self.step_twin(x[part], target[part])
            if self.twin[3] is not None and not self.twin[3].per_step:
                self.twin[3].step()
        self.check()

    @rule(rows=st.sampled_from([2, 9]), seed=SEEDS, training=st.booleans())
    def evaluate(self, rows, seed, training):
        x, target = self.batch(rows, seed, 0.0)
        self.trainer.model.train(training)
        found = self.trainer.evaluate(x, target)
        assert self.trainer.model.training == training
        model, loss = copy.deepcopy(self.twin[:2])
        expected = loss(model.eval().forward(x), target)
        assert found == expected or np.isnan(expected)
        self.check()

    @rule(how=st.sampled_from(["file", "pickle"]))
    def replace(self, how):
        """By a trainer that has loaded this one's file, or one of a copied model and optimizer."""
        old = self.trainer
        parts = (old.model, old.loss, old.optimizer, old.scheduler)
        model, loss, optimizer, scheduler = pickle.loads(pickle.dumps(parts))
        self.trainer = nt.Trainer(model, loss=loss, optimizer=optimizer, scheduler=scheduler)
        if how == "file":
            old.save(self.path)
            for parameter in model.parameters():
                parameter.data = 0
            self.trainer.load(self.path)
        self.check()

    @rule(
        mistake=st.sampled_from(
            [
                lambda t, x, target: t.step(x[:, :0], target),
                lambda t, x, target: t.step(x, target[:1]),
                lambda t, x, target: t.step(x.astype("int64"), target),
                lambda t, x, target: t.step(x, target, -np.ones(len(x), x.dtype)),
                lambda t, x, target: t.fit(x, target, epochs=0),
                lambda t, x, target: t.fit(x, target, batch_size=-1),
                lambda t, x, target: t.fit(x[:1], target),
                lambda t, x, target: t.fit(x, target, validation_data=(x[:, :0], target)),
                lambda t, x, target: t.fit(x, target, metrics=["accuracy"]),
                lambda t, x, target: t.fit(x, target, callbacks=[3]),
                lambda t, x, target: t.evaluate(x, target[:1]),
            ]
        ),
        seed=SEEDS,
    )
    def make_a_mistake(self, mistake, seed):
        with pytest.raises(REFUSALS):
            mistake(self.trainer, *self.batch(4, seed, 0.0))
        self.check()


@by_class(OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_trainers_do_what_their_parts_do_in_any_order_of_calls(kind, tmp_path):
    live(lambda: TrainerLife(kind, tmp_path), lives=30, calls=12)
