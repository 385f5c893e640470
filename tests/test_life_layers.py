"""A layer's life, for every public class: forward, backward, step, load, copy, freeze, mistakes in any order.

Whatever has happened to a layer, it does to the bit what one does that was just made with its parameters and
buffers; a refused call changes nothing; of a frozen one and of one from a file the same holds.
"""

import copy
import inspect

import ne_torch as nt
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from life import COPIES, DTYPES, REFUSALS, SEEDS, SHARES, WIDTHS, by_class, live
from public_classes import LAYERS, OUT
from samples import LAYOUTS, contiguous, same_bits, with_specials

LEADING = st.sampled_from([(), (1,), (2,), (7,), (0,), (16,), (2, 3)])
MISTAKES = [
    lambda layer, x, grad: layer.forward(np.full((2, 77), OUT)),
    lambda layer, x, grad: layer.forward(x.astype("complex64")),
    lambda layer, x, grad: layer.forward(None),
    lambda layer, x, grad: layer.forward("text"),
    lambda layer, x, grad: layer.backward(np.ones((9, *grad.shape), grad.dtype)),
    lambda layer, x, grad: layer.backward(grad.astype("int64")),
    lambda layer, x, grad: layer.step(float("nan")),
    lambda layer, x, grad: layer.step(None),
    lambda layer, x, grad: layer.load_state_dict({**layer.state_dict(), "other": np.ones(1)}),
    lambda layer, x, grad: layer.load_state_dict(3),
    lambda layer, x, grad: layer.freeze("int4"),
]


class LayerLife(RuleBasedStateMachine):
    """The layer, and its twin: one made anew for each forward pass, told the same since then."""

    def __init__(self, kind, folder):
        super().__init__()
        self.kind, self.path = kind, folder / "layer.safetensors"
        self.twin = None

    @initialize(dtype=DTYPES, width=WIDTHS, variant=st.integers(0, 100))
    def begin(self, dtype, width, variant):
        makers = LAYERS[self.kind]
        self.dtype, self.width = np.dtype(dtype), width
        self.make = lambda: makers[variant % len(makers)](dtype, width)
        self.layer = self.make()
        self.has_grad = False

    def made_anew(self):
        """Return a layer without a past, of the same state."""
        layer = self.make()
        layer.load_state_dict(self.layer.state_dict())
        for name, array in layer.named_buffers().items():
            array[...] = self.layer.named_buffers()[name]
        return layer.train(self.layer.training)

    def input(self, leading, seed, share):
        if self.kind is nt.Embedding:
            return np.random.default_rng(seed).integers(0, OUT, leading)
        x = with_specials((*leading, self.width), self.dtype, share, seed)
        if self.kind is nt.TabularEmbedding:
            x[..., 0] = np.random.default_rng(seed).integers(0, OUT, leading)
        return x

    def state(self, layer):
        arrays = [parameter.data for parameter in layer.parameters()]
        return [array.tobytes() for array in (*arrays, *layer.named_buffers().values())]

    def check(self):
        assert self.twin is None or self.state(self.layer) == self.state(self.twin)

    @rule(training=st.booleans())
    def choose_mode(self, training):
        assert self.layer.train(training) is self.layer
        self.twin = None

    @rule(
        leading=LEADING,
        seed=SEEDS,
        layout=st.sampled_from(sorted(LAYOUTS)),
        share=SHARES,
        given=st.booleans(),
    )
    def forward(self, leading, seed, layout, share, given):
        x = self.input(leading, seed, share)
        laid_out = LAYOUTS[layout](x) if leading else x
        dense = contiguous(laid_out, x.dtype)
        twin = self.made_anew()
        before = self.state(self.layer)
        try:
            expected = twin.forward(dense.copy())
        except REFUSALS:  # of fewer axes or samples than it takes
            with pytest.raises(REFUSALS):
                self.layer.forward(laid_out)
            assert self.state(self.layer) == before
            return
        if layout == "list" and self.dtype == "float32" and self.kind is not nt.Embedding:
            laid_out = dense  # lists of Python's floats are float64
        options = {}
        if given and "out" in inspect.signature(self.layer.forward).parameters:
            options["out"] = np.empty_like(expected)
        found = self.layer.forward(laid_out, **options)
        assert options.get("out", found) is found
        assert same_bits(found, expected)
        assert same_bits(contiguous(laid_out, x.dtype), dense)  # the input is as it was
        self.twin, self.x, self.y = twin, dense, expected
        self.check()

    @precondition(lambda self: self.twin is not None)
    @rule(seed=SEEDS, share=SHARES)
    def backward(self, seed, share):
        grad = with_specials(self.y.shape, self.dtype, share, seed)
        assert same_bits(self.layer.backward(grad), self.twin.backward(grad))
        pairs = zip(self.layer.parameters(), self.twin.parameters(), strict=True)
        assert all(same_bits(ours.grad, theirs.grad) for ours, theirs in pairs)
        self.has_grad = True

    @precondition(lambda self: self.twin is not None and self.has_grad)
    @rule(rate=st.sampled_from([0.0, 1e-3, 0.5]))
    def step(self, rate):
        for layer in (self.layer, self.twin):
            if all(parameter.grad is not None for parameter in layer.parameters()):
                layer.step(rate)
            else:
                self.twin = None
                return
        self.check()

    @rule(seed=SEEDS)
    def load(self, seed):
        state = {
            name: with_specials(value.shape, self.dtype, 0, seed) if value.shape else np.int64(seed)
            for name, value in self.layer.state_dict().items()
        }
        self.layer.load_state_dict(state)
        assert all(same_bits(value, state[name]) for name, value in self.layer.state_dict().items())
        if self.twin is not None:
            self.twin.load_state_dict(state)
        self.check()

    @rule(copied=COPIES)
    def replace_by_copy(self, copied):
        before = self.state(self.layer)
        self.layer = copied(self.layer)
        assert self.state(self.layer) == before
        with pytest.raises(RuntimeError, match="expected forward before backward"):
            self.layer.backward(np.ones((1, 1), self.dtype))
        self.twin, self.has_grad = None, False

    @rule()
    def replace_by_file(self):
        before = self.layer.state_dict()
        self.layer.save(self.path)
        training, stream = self.layer.training, self.layer.named_buffers()
        self.layer = nt.load(self.path)
        assert self.layer.training == training
        for name, array in self.layer.named_buffers().items():
            array[...] = stream[name]  # a file has no streams
        assert all(same_bits(value, before[name]) for name, value in self.layer.state_dict().items())
        self.twin, self.has_grad = None, False

    @rule(seed=SEEDS, share=SHARES, copied=COPIES)
    def freeze(self, seed, share, copied):
        x = self.input((5,), seed, share)
        layer = copy.deepcopy(self.layer).eval()
        width = layer.forward(x).shape[-1]
        model = nt.Sequential(layer, nt.Linear(width, 2, dtype=self.dtype.name, rng=0)).eval()
        if self.kind is nt.Embedding or getattr(layer, "track_running_stats", True) is False:
            with pytest.raises(REFUSALS):
                model.freeze()
        else:
            assert same_bits(copied(model.freeze())(x), model.forward(x))

    @precondition(lambda self: self.twin is not None)
    @rule(mistake=st.sampled_from(MISTAKES))
    def make_a_mistake(self, mistake):
        before = self.state(self.layer)
        with pytest.raises(REFUSALS):
            mistake(self.layer, self.x, self.y)
        assert self.state(self.layer) == before


@by_class(LAYERS)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_layers_do_what_their_state_says_in_any_order_of_calls(kind, tmp_path):
    live(lambda: LayerLife(kind, tmp_path), lives=15)
