"""ne_torch: Trainer.step, called from Python."""

from __future__ import annotations

import ne_torch as nt

from benchmarks.peers import LEARNING_RATE
from benchmarks.timing import repeated

ACTIVATIONS = {"relu": nt.ReLU, "tanh": nt.Tanh}
LOSSES = {"mse": nt.MSELoss, "cross_entropy": nt.CrossEntropyLoss}
OPTIMIZERS = {"sgd": nt.SGD, "adam": nt.Adam}


def make(net, weights, biases):
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nt.Linear(weight.shape[1], weight.shape[0])
        linear.weight, linear.bias = weight, bias
        layers += [linear, ACTIVATIONS[net.activation]()]
    model = nt.Sequential(*layers[:-1])
    optimizer = OPTIMIZERS[net.optimizer](model.parameters(), lr=LEARNING_RATE)
    return nt.Trainer(model, loss=LOSSES[net.loss](), optimizer=optimizer)


def trainer(net):
    x, target, weights, biases = net.data()
    trained = make(net, weights, biases)
    assert trained.fused
    return repeated(lambda: trained.step(x, target)), lambda: trained.evaluate(x, target)
