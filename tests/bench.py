"""What wrong calls are made on: layers in the middle of their work, and all that must not change."""

import ne_torch as nt
import numpy as np
import pytest

from samples import normal


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


class Bench:
    """Layers that have been through a forward and a backward pass, and arrays that fit them."""

    def __init__(self):
        self.x, self.g, self.target = (normal((2, n), "float32", seed) for seed, n in enumerate((4, 3, 3)))
        self.out = np.full((2, 3), 7, "float32")
        self.linear, self.relu, self.softmax = nt.Linear(4, 3, rng=0), nt.ReLU(), nt.Softmax()
        self.model = nt.Sequential(nt.Linear(4, 3, rng=1), nt.ReLU(), nt.Linear(3, 3, rng=2))
        self.mse = nt.MSELoss()
        self.sgd = nt.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.trainer = nt.Trainer(self.model, loss=nt.MSELoss(), optimizer=self.sgd)
        for layer in (self.linear, self.relu, self.softmax, self.model):
            layer(self.x)
        self.mse(self.g, self.target)
        self.gradients()

    def gradients(self):
        """Go on from the last good forward passes."""
        of_outputs = [layer.backward(self.g) for layer in (self.linear, self.model)]
        return [*of_outputs, self.relu.backward(self.x), self.softmax.backward(self.x), self.mse.backward()]

    def state(self):
        """Return every byte that a failed call must leave as it was."""
        parameters = self.linear.parameters() + self.model.parameters()
        arrays = [self.x, self.g, self.target, self.out, *self.sgd.velocity()]
        arrays += [parameter.data for parameter in parameters] + [parameter.grad for parameter in parameters]
        arrays += self.gradients()
        settings = [repr(self.sgd), repr(self.model), nt.get_num_threads()]
        return [array.tobytes() for array in arrays] + settings


def assert_refused(call, error, *says):
    """Assert that the call is an error whose message has all of the texts, and that it changes nothing."""
    bench = Bench()
    before = bench.state()
    with pytest.raises(error) as refusal:
        call(bench)
    message = str(refusal.value)
    assert [text for text in says if text not in message] == [], message
    assert bench.state() == before


def table(*parts):
    """Return rows (call, error, texts of the message, ...) for parametrize, named after the first text."""
    return [pytest.param(call, error, says, id=says[0]) for part in parts for call, error, *says in part]
