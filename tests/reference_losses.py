"""A float64 NumPy version of each loss, and how large the numbers are that its rounding errors come from.

Value and slope of an element, or of a sample where classes compete, are pairs (result, magnitude): one
rounding errs by at most unit roundoff times the magnitude, which is the sum of the absolute values of the
terms (and, of a logarithm, 1 for the error of its argument). Nothing here shares code with ne_torch.
"""

import dataclasses

import numpy as np

from loss_cases import Case


def _pair(*terms):
    return sum(terms), sum(np.abs(term) for term in terms)


def mse(x, t):
    return (x - t) ** 2, (x - t) ** 2


def mse_slope(x, t):
    return 2 * (x - t), 2 * np.abs(x - t)


def l1(x, t):
    return np.abs(x - t), np.abs(x - t)


def l1_slope(x, t):
    return np.sign(x - t), np.ones_like(x)


def huber(x, t, delta=1.0):
    d = np.abs(x - t)
    value = np.where(d < delta, d**2 / 2, delta * (d - delta / 2))
    return value, np.minimum(d, delta) * d


def huber_slope(x, t, delta=1.0):
    return np.clip(x - t, -delta, delta), np.minimum(np.abs(x - t), delta)


def smooth_l1(x, t, beta=1.0):
    if beta == 0:
        return l1(x, t)
    value, magnitude = huber(x, t, beta)
    return value / beta, magnitude / beta


def smooth_l1_slope(x, t, beta=1.0):
    if beta == 0:
        return l1_slope(x, t)
    value, magnitude = huber_slope(x, t, beta)
    return value / beta, magnitude / beta


def quantile(x, t, quantile=0.5):
    d = x - t
    return np.where(d > 0, (1 - quantile) * d, -quantile * d), np.abs(d)


def quantile_slope(x, t, quantile=0.5):
    d = x - t
    return np.where(d > 0, 1 - quantile, np.where(d < 0, -quantile, 0.0)), np.ones_like(d)


def bce_with_logits(x, t, weight=None, pos_weight=None):
    w, p = (1.0 if a is None else np.asarray(a, np.float64) for a in (weight, pos_weight))
    softplus = np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0)
    value, magnitude = _pair(w * (1 - t) * x, w * softplus, w * (p - 1) * t * softplus)
    return value, magnitude


def bce_with_logits_slope(x, t, weight=None, pos_weight=None):
    w, p = (1.0 if a is None else np.asarray(a, np.float64) for a in (weight, pos_weight))
    sigmoid = 1 / (1 + np.exp(-x))
    return _pair(w * sigmoid, w * (p - 1) * t * sigmoid, -w * p * t)


def poisson_nll(x, t, log_input=True, full=False, eps=1e-8):
    if log_input:
        value, magnitude = _pair(np.exp(x), -t * x)
    else:
        value, magnitude = _pair(x, -t * np.log(x + eps))
        magnitude = magnitude + t
    if full:
        many = np.maximum(t, 1)
        stirling, more = _pair(many * np.log(many), -many, np.log(2 * np.pi * many) / 2)
        value = value + np.where(t > 1, stirling, 0)
        magnitude = magnitude + np.where(t > 1, more + many, 0)
    return value, magnitude


def poisson_nll_slope(x, t, log_input=True, full=False, eps=1e-8):
    return _pair(np.exp(x), -t) if log_input else _pair(np.ones_like(x), -t / (x + eps))


def log_softmax(x):
    """Return (log-softmax, magnitude)."""
    shifted = x - x.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted - log_sum, 1 + np.abs(shifted) + np.abs(log_sum)


def target_mass(x, target, weight=None, label_smoothing=0.0, ignore_index=-100):
    """Return how much of each class the target has, (rows, classes), and which rows count."""
    classes = x.shape[-1]
    w = np.ones(classes) if weight is None else np.asarray(weight, np.float64)
    if np.asarray(target).dtype.kind == "f":
        q, counted = np.asarray(target, np.float64), np.ones(len(x), bool)
        return w * (q * (1 - label_smoothing) + label_smoothing / classes), counted
    counted = target != ignore_index
    safe = np.where(counted, target, 0)
    one_hot = np.eye(classes)[safe] * (1 - label_smoothing) * w[safe][:, None]
    return np.where(counted[:, None], one_hot + w * label_smoothing / classes, 0.0), counted


def cross_entropy(x, target, **options):
    mass, counted = target_mass(x, target, **options)
    log_s, magnitude = log_softmax(x)
    return _rows(counted, (mass * -log_s).sum(-1), (mass * magnitude).sum(-1))


def cross_entropy_slope(x, target, **options):
    mass, counted = target_mass(x, target, **options)
    s = np.exp(log_softmax(x)[0])
    whole = mass.sum(-1, keepdims=True)
    magnitude = (whole * s + mass) * (1 + log_softmax(x)[1])
    return _rows(counted[:, None], whole * s - mass, magnitude)


def nll(x, target, **options):
    mass, counted = target_mass(x, target, **options)
    return _rows(counted, (mass * -x).sum(-1), (mass * np.abs(x)).sum(-1))


def nll_slope(x, target, **options):
    mass, _ = target_mass(x, target, **options)
    return -mass, mass


def _rows(counted, value, magnitude):
    return np.where(counted, value, 0.0), np.where(counted, magnitude, 0.0)


WEIGHT = [0.5, 2.0, 0.0, 1.25, 3.0, 1.0]  # of 6 classes

LOSSES = [  # class, value, slope, targets, options
    ("MSELoss", mse, mse_slope, "float", [{}]),
    ("L1Loss", l1, l1_slope, "float", [{}]),
    ("HuberLoss", huber, huber_slope, "float", [{}, {"delta": 0.3}]),
    ("SmoothL1Loss", smooth_l1, smooth_l1_slope, "float", [{}, {"beta": 0.3}, {"beta": 0.0}]),
    ("QuantileLoss", quantile, quantile_slope, "float", [{}, {"quantile": 0.9}]),
    (
        "BCEWithLogitsLoss",
        bce_with_logits,
        bce_with_logits_slope,
        "unit",
        [{}, {"weight": WEIGHT}, {"pos_weight": WEIGHT}, {"weight": [0.7], "pos_weight": [3.0]}],
    ),
    (
        "PoissonNLLLoss",
        poisson_nll,
        poisson_nll_slope,
        "count",
        [{}, {"full": True}, {"log_input": False}, {"log_input": False, "eps": 0.5, "full": True}],
    ),
    ("CrossEntropyLoss", cross_entropy, cross_entropy_slope, "classes", [{}, {"label_smoothing": 1.0}]),
    (
        "CrossEntropyLoss",
        cross_entropy,
        cross_entropy_slope,
        "ignored",
        [
            {},
            {"ignore_index": 2},
            {"weight": WEIGHT},
            {"label_smoothing": 0.2},
            {"label_smoothing": 0.2, "weight": WEIGHT},
        ],
    ),
    (
        "CrossEntropyLoss",
        cross_entropy,
        cross_entropy_slope,
        "probabilities",
        [{}, {"weight": WEIGHT}, {"label_smoothing": 1.0, "weight": WEIGHT}],
    ),
    ("NLLLoss", nll, nll_slope, "classes", [{}]),
    ("NLLLoss", nll, nll_slope, "ignored", [{"weight": WEIGHT, "ignore_index": 1}]),
]
CASES = [Case(*loss, options, target) for *loss, target, variants in LOSSES for options in variants]


def case_of(name, options=None, target="float"):
    """Return another case of a loss that is listed above."""
    return dataclasses.replace(next(c for c in CASES if c.name == name), options=options or {}, target=target)
