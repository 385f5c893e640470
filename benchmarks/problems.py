"""What is measured: the nets, the grids of shapes, their data and their arithmetic."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np


class Net(NamedTuple):
    """Widths of a net, the batch it is trained on, and with what."""

    widths: tuple[int, ...]
    batch: int
    activation: str = "relu"  # between its layers; or tanh
    loss: str = "mse"  # or cross_entropy, with classes
    optimizer: str = "sgd"  # or adam

    @property
    def name(self) -> str:
        others = [word for word in self[2:] if word not in ("relu", "mse", "sgd")]
        return ", ".join(["-".join(map(str, self.widths)), str(self.batch), *others])

    @property
    def flops(self) -> int:
        """Operations of one step's products; the gradient of the net's own input is not needed."""
        products = [(2 if i == 0 else 3) * n * m for i, (n, m) in enumerate(itertools.pairwise(self.widths))]
        return 2 * self.batch * sum(products)

    @property
    def prediction_flops(self) -> int:
        """Operations of the products of a prediction."""
        return 2 * self.batch * sum(n * m for n, m in itertools.pairwise(self.widths))

    def data(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], list[np.ndarray]]:
        """Return x, target, weights and biases, the same for every peer."""
        generator = np.random.default_rng(0)
        x = generator.standard_normal((self.batch, self.widths[0])).astype("float32")
        if self.loss == "cross_entropy":
            target = generator.integers(self.widths[-1], size=self.batch)
        else:
            target = generator.standard_normal((self.batch, self.widths[-1])).astype("float32")
        pairs = list(itertools.pairwise(self.widths))
        weights = [
            (generator.standard_normal((m, n)) * np.sqrt(2 / (n + m))).astype("float32") for n, m in pairs
        ]
        return x, target, weights, [np.zeros(m, "float32") for _, m in pairs]


# The table of the engine, with the floors it was built to: times faster than the best of torch, JAX and
# NumPy, share of the FMA peak with one thread and with two.
STEPS = {
    Net((784, 128, 10), 64): (3.5, 1.7, 2.1, 0.90, 0.82),
    Net((784, 256, 128, 10), 64): (2.8, 1.45, 1.85, 0.90, 0.82),
    Net((784, 512, 512, 10), 128): (1.65, 1.35, 1.4, 0.90, 0.84),
    Net((1024, 1024, 1024, 1024), 256): (1.35, 1.2, 1.2, 0.90, 0.86),
    Net((64, 32, 10), 32): (45, 3, 5, None, None),
    Net((4, 32, 32, 1), 32): (50, 2.2, 7, None, None),
}

# Steps with other losses, activations and optimizers, with the floors they were built to: times faster than
# the best of torch and of JAX, share of the FMA peak of all threads (the products' operations alone counted).
# The first is the problem of SimpleChains.jl's own benchmark.
RECIPES = {
    Net((4, 32, 16, 4), 10000, "tanh", "mse", "adam"): (7, None, 0.35),
    Net((784, 128, 10), 64, "relu", "cross_entropy", "adam"): (3, 1.7, None),
}

# The table of serving, with the floors it was built to: threads, times faster than the best of onnxruntime,
# of torch, and NumPy.
PREDICTIONS = {
    Net((64, 32, 10), 1): (1, 4, 10, 4),
    Net((784, 128, 10), 1): (1, 2, 4, 1.8),
    Net((784, 512, 512, 10), 1): (1, 1.2, 2, 1.2),
    Net((784, 128, 10), 64): (1, 1.05, 1.7, 2),
    Net((784, 128, 10), 4096): ("all", 1.2, 1.5, 1.4),
    Net((4, 32, 32, 1), 64): (1, 2.5, 7, 4),
}

# Each shape beside a neighbour that fits lanes and tiles.
NEIGHBOURS = {
    Net((783, 127, 10), 64): Net((784, 128, 10), 64),
    Net((785, 129, 11), 64): Net((784, 128, 10), 64),
    Net((784, 128, 10), 63): Net((784, 128, 10), 64),
    Net((784, 128, 10), 65): Net((784, 128, 10), 64),
    Net((784, 128, 10), 50): Net((784, 128, 10), 64),
    Net((784, 128, 10), 100): Net((784, 128, 10), 128),
    Net((511, 513, 509), 127): Net((512, 512, 512), 128),
    Net((1000, 1000, 1000), 200): Net((1024, 1024, 1024), 192),
    Net((2048, 256, 10), 64): Net((2000, 256, 10), 64),
    Net((100, 100, 100, 100, 100, 100, 100), 96): Net((96, 96, 96, 96, 96, 96, 96), 96),
    Net((17, 33, 65, 33, 17), 49): Net((16, 32, 64, 32, 16), 48),
    Net((256, 31, 256), 64): Net((256, 32, 256), 64),
}

LAYERS = [
    (batch, n, m)
    for (n, m) in [(1, 1), (10, 10), (64, 64), (128, 10), (128, 128), (784, 10), (784, 128), (64, 512),
                   (10, 512), (1024, 1), (1, 1024), (1024, 1024)]
    for batch in (1, 8, 64, 256, 1024)
]  # fmt: skip
