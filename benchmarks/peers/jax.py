"""JAX: a jitted step called from Python, and many steps inside one jitted fori_loop."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.peers import LEARNING_RATE

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


def mse(prediction, target):
    return jnp.mean((prediction - target) ** 2)


def cross_entropy(prediction, target):
    logarithms = jax.nn.log_softmax(prediction)
    return -jnp.mean(jnp.take_along_axis(logarithms, target[:, None], axis=1))


def sgd(state, gradients):
    parameters, *_ = state
    return (jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients),)


def adam(state, gradients):
    """Adam with torch's defaults; the state is (parameters, first moments, second moments, steps)."""
    parameters, first, second, steps = state
    steps = steps + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate, unbiased = LEARNING_RATE / (1 - 0.9**steps), jnp.sqrt(1 - 0.999**steps)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) / unbiased + 1e-8), parameters, first, second
    )
    return parameters, first, second, steps


LOSSES = {"mse": mse, "cross_entropy": cross_entropy}
OPTIMIZERS = {"sgd": sgd, "adam": adam}


def make(net):
    """Return the state of training, the first of which are the parameters, data, a step and the loss."""
    x, target, weights, biases = net.data()
    x, target = jnp.asarray(x), jnp.asarray(target)
    parameters = [
        (jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in zip(weights, biases, strict=True)
    ]

    def loss(parameters, x, target):
        for i, (weight, bias) in enumerate(parameters):
            x = x @ weight.T + bias
            if i < len(parameters) - 1:
                x = ACTIVATIONS[net.activation](x)
        return LOSSES[net.loss](x, target)

    def step(state, x, target):
        return OPTIMIZERS[net.optimizer](state, jax.grad(loss)(state[0], x, target))

    state = (parameters,)
    if net.optimizer == "adam":
        state += (*(jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)), jnp.float32(0))
    return state, x, target, step, loss


def stepwise(net):
    state, x, target, step, loss = make(net)
    jitted = jax.jit(step, donate_argnums=0)

    def run(count):
        nonlocal state
        for _ in range(count):
            state = jitted(state, x, target)
        jax.block_until_ready(state)

    return run, lambda: float(loss(state[0], x, target))


def loop(net):
    state, x, target, step, loss = make(net)

    def many(count, state, x, target):
        return jax.lax.fori_loop(0, count, lambda _, s: step(s, x, target), state)

    jitted = jax.jit(many, donate_argnums=1)

    def run(count):
        nonlocal state
        state = jax.block_until_ready(jitted(count, state, x, target))

    return run, lambda: float(loss(state[0], x, target))
