"""JAX: a jitted step called from Python, and many steps inside one jitted fori_loop."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.peers import LEARNING_RATE


def make(net):
    x, target, weights, biases = net.data()
    x, target = jnp.asarray(x), jnp.asarray(target)
    parameters = [
        (jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in zip(weights, biases, strict=True)
    ]

    def loss(parameters, x, target):
        for i, (weight, bias) in enumerate(parameters):
            x = x @ weight.T + bias
            if i < len(parameters) - 1:
                x = jax.nn.relu(x)
        return jnp.mean((x - target) ** 2)

    def step(parameters, x, target):
        gradients = jax.grad(loss)(parameters, x, target)
        return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients)

    return parameters, x, target, step, loss


def stepwise(net):
    parameters, x, target, step, loss = make(net)
    jitted = jax.jit(step, donate_argnums=0)

    def run(count):
        nonlocal parameters
        for _ in range(count):
            parameters = jitted(parameters, x, target)
        jax.block_until_ready(parameters)

    return run, lambda: float(loss(parameters, x, target))


def loop(net):
    parameters, x, target, step, loss = make(net)

    def many(count, parameters, x, target):
        return jax.lax.fori_loop(0, count, lambda _, p: step(p, x, target), parameters)

    jitted = jax.jit(many, donate_argnums=1)

    def run(count):
        nonlocal parameters
        parameters = jax.block_until_ready(jitted(count, parameters, x, target))

    return run, lambda: float(loss(parameters, x, target))
