"""ne_torch: Trainer.step, called from Python."""

from __future__ import annotations

import ne_torch as nt

from benchmarks.peers import LEARNING_RATE
from benchmarks.timing import repeated


def make(weights, biases):
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nt.Linear(weight.shape[1], weight.shape[0])
        linear.weight, linear.bias = weight, bias
        layers += [linear, nt.ReLU()]
    model = nt.Sequential(*layers[:-1])
    optimizer = nt.SGD(model.parameters(), lr=LEARNING_RATE)
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)


def trainer(net):
    x, target, weights, biases = net.data()
    trained = make(weights, biases)
    assert trained.fused
    return repeated(lambda: trained.step(x, target)), lambda: trained.evaluate(x, target)
