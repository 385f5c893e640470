"""NumPy by hand: every array preallocated, every operation in place."""

from __future__ import annotations

import numpy as np

from benchmarks.peers import LEARNING_RATE
from benchmarks.timing import repeated


def trainer(net):
    x, target, weights, biases = net.data()
    last = len(weights) - 1
    outputs = [np.empty((net.batch, len(w)), "float32") for w in weights]
    gradients = [np.empty_like(output) for output in outputs]
    grad_weights = [np.empty_like(w) for w in weights]
    masks = [np.empty(output.shape, bool) for output in outputs]

    def forward():
        inputs = x
        for i, (weight, bias, output) in enumerate(zip(weights, biases, outputs, strict=True)):
            np.matmul(inputs, weight.T, out=output)
            np.add(output, bias, out=output)
            if i < last:
                np.maximum(output, 0, out=output)
            inputs = output

    def step():
        forward()
        np.subtract(outputs[-1], target, out=gradients[-1])
        np.multiply(gradients[-1], np.float32(2 / target.size), out=gradients[-1])
        for i in range(last, -1, -1):
            if i > 0:
                np.matmul(gradients[i], weights[i], out=gradients[i - 1])
                np.greater(outputs[i - 1], 0, out=masks[i - 1])
                np.multiply(gradients[i - 1], masks[i - 1], out=gradients[i - 1])
            np.matmul(gradients[i].T, outputs[i - 1] if i else x, out=grad_weights[i])
            np.multiply(grad_weights[i], np.float32(LEARNING_RATE), out=grad_weights[i])
            np.subtract(weights[i], grad_weights[i], out=weights[i])
            biases[i] -= np.float32(LEARNING_RATE) * gradients[i].sum(axis=0)

    def loss():
        forward()
        return float(np.mean((outputs[-1].astype("float64") - target) ** 2))

    return repeated(step), loss
