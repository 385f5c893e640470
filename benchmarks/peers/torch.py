"""torch: eager with its optimizers, fused or not, eager with updates by hand, and the whole step compiled."""

from __future__ import annotations

import itertools

import torch

from benchmarks.peers import LEARNING_RATE
from benchmarks.timing import repeated

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
LOSSES = {"mse": torch.nn.functional.mse_loss, "cross_entropy": torch.nn.functional.cross_entropy}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def make(net):
    x, target, weights, biases = net.data()
    layers = []
    for n, m in itertools.pairwise(net.widths):
        layers += [torch.nn.Linear(n, m), ACTIVATIONS[net.activation]()]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for layer, weight, bias in zip(model[::2], weights, biases, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return model, torch.from_numpy(x), torch.from_numpy(target)


def loss_of(net, model, x, target):
    return lambda: LOSSES[net.loss](model(x).detach(), target).item()


def eager(net, **options):
    model, x, target = make(net)
    optimizer = OPTIMIZERS[net.optimizer](model.parameters(), lr=LEARNING_RATE, **options)

    def step():
        optimizer.zero_grad()
        LOSSES[net.loss](model(x), target).backward()
        optimizer.step()

    return repeated(step), loss_of(net, model, x, target)


def foreach(net):
    return eager(net, foreach=True)


def fused(net):
    return eager(net, fused=True)


def by_hand(net):
    model, x, target = make(net)
    parameters = list(model.parameters())

    def step():
        loss = LOSSES[net.loss](model(x), target)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)

    return repeated(step), loss_of(net, model, x, target)


def compiled(net):
    model, x, target = make(net)
    optimizer = OPTIMIZERS[net.optimizer](model.parameters(), lr=LEARNING_RATE)

    @torch.compile
    def forward_backward():
        LOSSES[net.loss](model(x), target).backward()

    update = torch.compile(optimizer.step)

    def step():
        optimizer.zero_grad()
        forward_backward()
        update()

    return repeated(step), loss_of(net, model, x, target)
