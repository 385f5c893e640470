"""Training with its rounding error: each quantity as (value, radius) in float64.

Every correct computation in the given dtype, with or without fused multiply-adds and in any order of
summation, lies within radius of value. Each operation passes the radii of its operands on and adds its own
roundings (running error analysis, Higham 2002, section 3.3): gamma_n times the sum of the magnitudes, for the
dtype, and once more for the float64 of this reference. So two correct trainings that start from the same
bits differ by at most 2 radius, and that bound grows with the steps as rounding errors really may.
"""

from dataclasses import dataclass

import numpy as np

import reference


@dataclass
class Bound:
    value: np.ndarray
    radius: np.ndarray

    @classmethod
    def exact(cls, array):
        value = np.asarray(array, np.float64)
        return cls(value, np.zeros_like(value))

    @property
    def magnitude(self):
        return np.abs(self.value) + self.radius

    @property
    def transposed(self):
        return Bound(self.value.T, self.radius.T)


class Arithmetic:
    """The operations of a network, and one step of SGD, in one dtype."""

    def __init__(self, dtype):
        self.unit = float(np.finfo(dtype).eps) / 2

    def rounded(self, value, inherited, roundings, magnitude):
        own = sum(reference.gamma(roundings, unit) for unit in (self.unit, 2.0**-53))
        return Bound(value, inherited + own * magnitude)

    def product(self, a, b):
        inherited = np.abs(a.value) @ b.radius + a.radius @ b.magnitude
        return self.rounded(a.value @ b.value, inherited, a.value.shape[1], a.magnitude @ b.magnitude)

    def affine_forward(self, x, weight, bias):
        y = self.product(x, weight.transposed)
        total = Bound(y.value + bias.value, y.radius + bias.radius)
        return self.rounded(total.value, total.radius, 1, y.magnitude + bias.magnitude)

    def affine_backward(self, grad_output, x, weight):
        ones = Bound.exact(np.ones((1, len(x.value))))
        grad_bias = self.product(ones, grad_output)
        return (
            self.product(grad_output, weight),
            self.product(grad_output.transposed, x),
            Bound(grad_bias.value[0], grad_bias.radius[0]),
        )

    def relu_forward(self, x):
        return Bound(np.maximum(x.value, 0), x.radius)

    def relu_backward(self, grad_output, x):
        """Where the sign of x is uncertain, the gradient may pass or not."""
        grad = np.where(x.value > 0, grad_output.value, 0)
        closed = np.where(x.value > 0, grad_output.radius, 0)
        uncertain = np.abs(x.value) <= x.radius
        return Bound(grad, np.where(uncertain, grad_output.magnitude, closed))

    def mse_forward(self, prediction, target):
        difference = np.abs(prediction.value - target)
        inherited = np.mean(2 * difference * prediction.radius + prediction.radius**2)
        # subtraction (twice, by the square), square, N - 1 additions, division
        return self.rounded(np.mean(difference**2), inherited, target.size + 3, np.mean(difference**2))

    def mse_backward(self, prediction, target):
        grad = reference.mse_backward(prediction.value, target)
        inherited = 2 / target.size * prediction.radius
        # 2/N, subtraction, and up to two products
        return self.rounded(grad, inherited, 4, np.abs(grad) + inherited)

    def sgd_update(self, param, grad, velocity, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
        """Return (param, velocity); each term is a rounded factor, a product and a sum."""

        def add(a, factor, b):
            inherited = a.radius + abs(factor) * b.radius
            magnitude = a.magnitude + abs(factor) * b.magnitude
            return self.rounded(a.value + factor * b.value, inherited, 3, magnitude)

        grad = add(grad, weight_decay, param)
        velocity = add(grad, momentum, velocity)
        direction = add(grad, momentum, velocity) if nesterov else velocity
        return add(param, -lr, direction), velocity


def gradients(arithmetic, layers, x, target):
    """Return the loss of Linear-ReLU-...-Linear, and [(grad_weight, grad_bias), ...]; mean squared error.

    layers is a list of (weight, bias) of Bounds.
    """
    inputs, outputs = [Bound.exact(x)], []
    for weight, bias in layers:
        outputs.append(arithmetic.affine_forward(inputs[-1], weight, bias))
        inputs.append(arithmetic.relu_forward(outputs[-1]))
    loss = arithmetic.mse_forward(outputs[-1], target)
    grad, result = arithmetic.mse_backward(outputs[-1], target), []
    for i in reversed(range(len(layers))):
        grad_input, *grads = arithmetic.affine_backward(grad, inputs[i], layers[i][0])
        result.insert(0, tuple(grads))
        if i > 0:
            grad = arithmetic.relu_backward(grad_input, outputs[i - 1])
    return loss, result


def train_step(arithmetic, layers, velocities, x, target, **hyper):
    """Train one step of SGD; return (loss, layers, velocities), all like layers."""
    loss, grads = gradients(arithmetic, layers, x, target)
    updated = [
        [arithmetic.sgd_update(*operands, **hyper) for operands in zip(*layer, strict=True)]
        for layer in zip(layers, grads, velocities, strict=True)
    ]
    return (
        loss,
        [tuple(param for param, _ in layer) for layer in updated],
        [tuple(velocity for _, velocity in layer) for layer in updated],
    )
