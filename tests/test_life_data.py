"""Scaled, Batches, the batches of arrays and Generator: shapes, layouts, dtypes, values, orders of calls."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import reference
from data_cases import make_trainer
from life import DTYPES, REFUSALS, SEEDS, live
from samples import normal, same_bits

SHAPES = st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple)
often = settings(max_examples=150, deadline=None, derandomize=True, database=None)
# arrays of bytes in every layout that NumPy knows
BYTES = {
    "contiguous": lambda array: array,
    "strided": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "fortran": np.asfortranarray,
    "negative strides": lambda array: np.flip(np.flip(array).copy()),
    "zero strides": lambda array: np.broadcast_to(array[:1], array.shape),
    "misaligned": lambda array: np.frombuffer(b"0" + array.tobytes(), "uint8", offset=1).reshape(array.shape),
}


def rows_of(drawn, length):
    """Return an index of rows: a slice, numbers, one number, or a mask."""
    kind, seed = drawn
    rng = np.random.default_rng(seed)
    if kind == "slice":
        begin, end = sorted(rng.integers(-1, length + 2, 2).tolist())
        return slice(begin, end, int(rng.choice([1, 2, -1])))
    if kind == "mask" or not length:
        return rng.random(length) < 0.5
    return int(rng.integers(length)) if kind == "number" else rng.integers(0, length, rng.integers(0, 6))


@often
@given(
    SHAPES,
    DTYPES,
    SEEDS,
    st.sampled_from(sorted(BYTES)),
    st.sampled_from(["number", "sample"]),
    st.tuples(st.sampled_from(["slice", "numbers", "number", "mask"]), SEEDS),
)
def test_scaled_is_one_fused_multiply_add_of_each_byte(shape, dtype, seed, layout, kind, index):
    dtype, rng = np.dtype(dtype), np.random.default_rng(seed)
    array = BYTES[layout](rng.integers(0, 256, shape, "uint8"))
    of = shape[1:] if kind == "sample" else ()
    scale, shift = rng.standard_normal(of), 100 * rng.standard_normal(of)
    scaled = nt.data.Scaled(array, scale, shift, dtype)
    operands = (array.astype(dtype), scale.astype(dtype), shift.astype(dtype))
    expected = reference.fma(*(np.ascontiguousarray(np.broadcast_to(o, shape)) for o in operands))
    assert same_bits(np.asarray(scaled), expected)
    rows = rows_of(index, shape[0])
    for found in (scaled, copy.deepcopy(scaled), pickle.loads(pickle.dumps(scaled))):
        assert same_bits(found[rows], expected[rows])
    assert (scaled.shape, len(scaled), scaled.dtype) == (shape, shape[0], dtype)


@often
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), SEEDS, st.booleans(), st.integers(1, 3))
def test_batches_train_as_steps_on_each(sizes, seed, weighted, epochs):
    """Whatever sizes they have, and wherever a training is stopped and resumed."""
    parts = []
    for i, rows in enumerate(sizes):
        x, target = normal((rows, 37), "float32", seed + i), normal((rows, 3), "float32", seed + i + 1)
        parts.append((x, target, np.abs(target[:, 0])) if weighted else (x, target))
    whole, stopped, expected = (make_trainer() for _ in range(3))
    batches = nt.data.Batches(parts)
    whole.fit(batches, epochs=epochs)
    for steps in (seed % 5 + 1, None):
        stopped.fit(
            nt.data.Batches(lambda _: iter(parts)), epochs=epochs, resume=steps is None, max_steps=steps
        )
    for batch in parts * epochs:
        expected.step(*batch)
    for trainer in (whole, stopped):
        pairs = zip(trainer.model.parameters(), expected.model.parameters(), strict=True)
        assert all(same_bits(ours.data, theirs.data) for ours, theirs in pairs)


@often
@given(st.integers(0, 20), st.integers(1, 25), SEEDS, st.booleans(), st.booleans(), st.integers(1, 3))
def test_array_batches_are_every_row_once(rows, size, seed, shuffle, drop_last, epochs):
    x = np.arange(rows)
    iterator = nt.data.batches(x, 2 * x, batch_size=size, shuffle=shuffle, rng=seed, drop_last=drop_last)
    generator = nt.Generator(seed)
    for _ in range(epochs):
        found = list(iterator)
        order = generator.permutation(rows) if shuffle else x
        assert len(found) == len(iterator)
        assert [len(first) for first, _ in found[:-1]] == [size] * (len(found) - 1)
        kept = rows - rows % size if drop_last else rows
        for i, column in enumerate(zip(*found, strict=True)):
            assert np.concatenate(column).tolist() == ((i + 1) * order[:kept]).tolist()
        assert found or kept == 0


class GeneratorLife(RuleBasedStateMachine):
    """Each draw is that of a generator just made with the seed and the position."""

    @initialize(seed=st.integers(0, 2**64 - 1), position=st.sampled_from([0, 1, 2**32 - 1, 2**63]))
    def begin(self, seed, position):
        self.generator = nt.Generator(seed, position)

    def drawn(self, draw):
        generator = self.generator
        twin = nt.Generator(generator.seed, generator.position)
        assert same_bits(draw(generator), draw(twin))
        assert twin.position == generator.position

    @rule(shape=SHAPES, dtype=DTYPES)
    def normal(self, shape, dtype):
        self.drawn(lambda generator: generator.normal(shape, 0.5, dtype))

    @rule(shape=SHAPES, dtype=DTYPES)
    def uniform(self, shape, dtype):
        self.drawn(lambda generator: generator.uniform(shape, -1.0, 3.0, dtype))

    @rule(n=st.integers(0, 20))
    def permutation(self, n):
        self.drawn(lambda generator: generator.permutation(n))

    @rule()
    def word(self):
        self.drawn(lambda generator: np.uint64(generator.word()))

    @rule(copied=st.sampled_from([copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]))
    def replace_by_copy(self, copied):
        before = self.generator.position
        self.generator = copied(self.generator)
        assert self.generator.position == before

    @rule(
        mistake=st.sampled_from(
            [
                lambda g: g.normal((-1,)),
                lambda g: g.normal((2,), "wide"),
                lambda g: g.normal((2,), dtype="float16"),
                lambda g: g.normal((2**40, 2**40)),
                lambda g: g.uniform((2,), 3.0, -1.0),
                lambda g: g.permutation(-1),
                lambda g: g.permutation(1.5),
            ]
        )
    )
    def make_a_mistake(self, mistake):
        before = self.generator.position
        with pytest.raises((*REFUSALS, MemoryError)):
            mistake(self.generator)
        assert self.generator.position == before


def test_generators_draw_what_their_position_says_in_any_order_of_calls():
    live(GeneratorLife, lives=60)
