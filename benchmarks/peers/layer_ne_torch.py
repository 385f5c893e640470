"""A standalone Linear of ne_torch."""

from __future__ import annotations

import ne_torch as nt
import numpy as np


def layer(batch, n, m):
    linear = nt.Linear(n, m, rng=0)
    generator = np.random.default_rng(0)
    x, g = (generator.standard_normal((batch, k)).astype("float32") for k in (n, m))
    linear.forward(x)
    return lambda: linear.forward(x), lambda: linear.backward(g)
