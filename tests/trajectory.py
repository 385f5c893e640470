"""Many training steps in float64, with a bound on what any correct training in another dtype may differ by.

To first order, the error after T steps is the sum over steps s of J_T ... J_(s+1) e_s, where e_s are the
roundings of step s, which error_bounds bounds element by element, and J_t is the Jacobian of step t: so the
sum of |J_T ... J_(s+1)| |e_s| bounds it, element by element. With G = Hessian of the loss + weight_decay and
the update of torch.optim.SGD on (param p, velocity v),

    v' = momentum v + g        dv'/dp = G                               dv'/dv = momentum
    p' = p - lr v'             dp'/dp = 1 - lr G                        dp'/dv = -lr momentum
    or with Nesterov's         dp'/dp = 1 - lr (1 + momentum) G         dp'/dv = -lr momentum^2

A ReLU whose input is closer to 0 than its own error has no Jacobian: the caller's data must avoid that.
"""

from dataclasses import dataclass

import numpy as np
import torch

from error_bounds import Arithmetic, Bound, train_step


@dataclass
class Step:
    loss: Bound  # before the update
    params: list[Bound]  # after it, in the order of model.parameters()


def trajectory(params, x, target, dtype, steps, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Yield a Step for each step of Linear-ReLU-...-Linear; params as from model.parameters()."""
    hyper = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
    shapes = [param.shape for param in params]
    arithmetic = Arithmetic(dtype)
    p = np.concatenate([np.asarray(param, np.float64).ravel() for param in params])
    n = p.size
    state, radius = np.concatenate([p, 0 * p]), np.zeros(2 * n)
    sources = np.zeros((0, 2 * n, 2 * n))  # of each step so far: the product of Jacobians times its roundings

    def train(radius):
        layers, velocities = (_layers(Bound(state[part], radius[part]), shapes) for part in _halves(n))
        return train_step(arithmetic, layers, velocities, x, target, **hyper)

    for _ in range(steps):
        loss, _, _ = train(radius)
        _require_certain_signs(arithmetic, _layers(Bound(state[:n], radius[:n]), shapes), x)
        jacobian = _jacobian(state[:n], shapes, x, target, **hyper)
        _, layers, velocities = train(0 * radius)
        state = np.concatenate([_flat(layers, "value"), _flat(velocities, "value")])
        roundings = np.concatenate([_flat(layers, "radius"), _flat(velocities, "radius")])
        sources = np.concatenate([jacobian @ sources, np.diag(roundings)[None]])
        radius = np.abs(sources).sum(axis=(0, 2))
        yield Step(loss, [b for layer in _layers(Bound(state[:n], radius[:n]), shapes) for b in layer])


def _halves(n):
    return slice(0, n), slice(n, 2 * n)


def _layers(flat, shapes):
    """Return [(weight, bias), ...] of a flat Bound."""
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    values, radii = np.split(flat.value, cuts), np.split(flat.radius, cuts)
    bounds = [Bound(v.reshape(s), r.reshape(s)) for v, r, s in zip(values, radii, shapes, strict=True)]
    return list(zip(bounds[::2], bounds[1::2], strict=True))


def _flat(layers, part):
    return np.concatenate([getattr(bound, part).ravel() for layer in layers for bound in layer])


def _require_certain_signs(arithmetic, layers, x):
    h = Bound.exact(x)
    for weight, bias in layers[:-1]:
        y = arithmetic.affine_forward(h, weight, bias)
        assert (np.abs(y.value) > y.radius).all(), "a ReLU's input may be 0: take other data"
        h = arithmetic.relu_forward(y)


def _jacobian(p, shapes, x, target, lr, momentum, weight_decay, nesterov):
    x, target = torch.from_numpy(np.float64(x)), torch.from_numpy(np.float64(target))
    sizes = [int(np.prod(shape)) for shape in shapes]

    def loss(p):
        h = x
        parts = [part.reshape(shape) for part, shape in zip(p.split(sizes), shapes, strict=True)]
        for i in range(0, len(parts), 2):
            h = torch.nn.functional.linear(torch.relu(h) if i else h, parts[i], parts[i + 1])
        return torch.mean((h - target) ** 2)

    one = np.eye(p.size)
    hessian = torch.autograd.functional.hessian(loss, torch.from_numpy(p)).numpy()
    g = hessian + weight_decay * one
    ahead = momentum if nesterov else 0.0
    inner = momentum if nesterov else 1.0
    return np.block([[one - lr * (1 + ahead) * g, -lr * momentum * inner * one], [g, momentum * one]])
