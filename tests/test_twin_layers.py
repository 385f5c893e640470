"""Dropout, normalisation and embeddings of every table against the independent twin, bit for bit."""

import numpy as np
from hypothesis import strategies as st
from ne_torch import _core

import twin_layers as twin
from test_twin import agree, cases, seeds, sizes

wide = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 67])
shares = st.sampled_from([2.0**-32, 1e-9, 0.1, 0.5, 0.9, 1 - 2.0**-33, 1 - 2.0**-40])
eps = st.sampled_from([0.0, 1e-5, 1.0])
affine = st.sampled_from(["none", "weight", "both"])


def parameters(kind, cols, values):
    return values(cols) if kind != "none" else None, values(cols) if kind == "both" else None


@cases(wide, wide, shares, st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**64 - 1]))
def test_dropout_equals_twin(dtype, rows, cols, p, seed, passed, values):
    x = values(rows, cols)
    agree([twin.dropout(x, seed, passed, p)], lambda: [_core.dropout(x, seed, passed, p)])


@cases(wide, wide, eps, affine)
def test_layer_norm_forward_equals_twin(dtype, rows, cols, eps, kind, values):
    x, (weight, bias) = values(rows, cols), parameters(kind, cols, values)
    agree(
        twin.layer_norm_forward(x, weight, bias, eps),
        lambda: _core.layer_norm_forward(x, cols, dtype.name, weight, bias, eps),
    )


@cases(wide, wide, affine)
def test_layer_norm_backward_equals_twin(dtype, rows, cols, kind, values):
    grad, normalized, rstd = values(rows, cols), values(rows, cols), values(rows)
    weight, _ = parameters(kind, cols, values)
    agree(
        [twin.layer_norm_backward(grad, normalized, rstd, weight)],
        lambda: [_core.layer_norm_backward(grad, normalized, rstd, weight)],
    )
    agree(
        twin.parameter_gradients(grad, normalized),
        lambda: _core.scale_shift_gradients(grad, normalized),
    )


@cases(wide.filter(lambda n: n > 1), wide, eps, affine, st.sampled_from([0.0, 0.1, 1 / 3, 1.0]))
def test_batch_norm_forward_equals_twin(dtype, rows, cols, eps, kind, momentum, values):
    x, (weight, bias) = values(rows, cols), parameters(kind, cols, values)
    mean, var = values(cols), values(cols)
    expected_running = mean.copy(), var.copy()
    expected = twin.batch_norm_forward(x, weight, bias, eps, momentum, *expected_running)

    def ours():
        running = mean.copy(), var.copy()
        return *_core.batch_norm_forward(x, weight, bias, eps, (*running, momentum)), *running

    agree([*expected, *expected_running], ours)


@cases(wide, wide, affine)
def test_batch_norm_backward_equals_twin(dtype, rows, cols, kind, values):
    grad, normalized, rstd = values(rows, cols), values(rows, cols), values(cols)
    weight, _ = parameters(kind, cols, values)
    agree(
        twin.batch_norm_backward(grad, normalized, rstd, weight),
        lambda: _core.batch_norm_backward(grad, normalized, rstd, weight),
    )


@cases(wide, wide, eps, affine)
def test_batch_norm_in_eval_mode_equals_twin(dtype, rows, cols, eps, kind, values):
    x, (weight, bias) = values(rows, cols), parameters(kind, cols, values)
    mean, var = values(cols), np.abs(values(cols))
    agree(
        [twin.batch_norm_eval(x, weight, bias, mean, var, eps)],
        lambda: [_core.scale_shift(x, *_core.fold_statistics(weight, bias, mean, var, eps))],
    )


@cases(sizes, wide, st.sampled_from([1, 2, 5]), st.sampled_from([-1, 0]), seeds)
def test_embedding_backward_equals_twin(dtype, count, dim, rows, padding, seed, values):
    grad, codes = values(count, dim), np.random.default_rng(seed).integers(0, rows, count)
    agree(
        [twin.embedding_backward(grad, codes, rows, padding)],
        lambda: [_core.embedding_backward(grad, codes, rows, padding, dtype.name)],
    )


@cases(sizes, sizes.filter(bool))
def test_scale_bytes_equals_twin(dtype, rows, cols, values):
    x = values.rng.integers(0, 256, (rows, cols), "uint8")
    scale, shift = values(cols), values(cols)
    agree([twin.scale_bytes(x, scale, shift)], lambda: [_core.ScaledBytes(x, scale, shift).converted()])
