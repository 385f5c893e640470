// The losses of docs/reproducibility.md, one plain loop for each. Part of twin.cpp.
#pragma once

#include <cmath>
#include <cstdint>

#include "elementary.hpp"

namespace {

enum LossKind { mse, l1, huber, smooth_l1, quantile, bce_with_logits, poisson_nll, cross_entropy, nll };

// The arguments of one call; arrays are row-major, null where there are none.
template <class T>
struct LossCall {
    size kind, rows, cols, reduction;  // 0 mean, 1 sum, 2 none
    const T *x, *target;
    const std::int64_t* indices;
    const T *sample_weight, *weight, *pos_weight;
    T first;  // delta, beta, quantile, eps or label_smoothing: what the loss has
    size log_input, full, ignore_index;

    T w(size b) const { return sample_weight ? sample_weight[b] : T(1); }
    T cw(size c) const { return weight ? weight[c] : T(1); }
    bool of_elements() const { return kind != cross_entropy && kind != nll; }
    bool ignored(size b) const { return indices && indices[b] == ignore_index; }
};

template <class T>
T sign_or(T d, T above, T below) {
    return d > 0 ? above : d < 0 ? below : T(0);
}

template <class T>
T clamped(T d, T limit) {
    if (std::isnan(d)) return d;
    return d > limit ? limit : d < -limit ? -limit : d;
}

template <class T>
T element_value(const LossCall<T>& g, size c, T x, T t) {
    const T d = x - t, distance = std::fabs(d);
    T q = g.first < distance ? g.first : distance;
    switch (g.kind) {
        case mse:
            return d * d;
        case l1:
            return distance;
        case huber:
            return q * (distance - T(0.5) * q);
        case smooth_l1:
            if (g.first == 0) return distance;
            return q / g.first * (distance - T(0.5) * q);
        case quantile: {
            const T over = (T(1) - g.first) * d, under = -g.first * d;
            return under > over ? under : over;
        }
        case bce_with_logits: {
            T softplus = logarithm_of_one_plus(exponential(-std::fabs(x))) + (0 > T(0) - x ? T(0) : T(0) - x);
            if (g.pos_weight) softplus = std::fma(g.pos_weight[c] - 1, t, T(1)) * softplus;
            const T loss = std::fma(T(1) - t, x, softplus);
            return g.weight ? g.weight[c] * loss : loss;
        }
        default: {
            T loss = g.log_input ? std::fma(T(0) - t, x, exponential(x))
                                 : std::fma(T(0) - t, logarithm(x + g.first), x);
            if (!g.full) return loss;
            if (!(t > 1)) return loss + 0;
            const T log_factorial = std::fma(t, logarithm(t), T(0) - t);
            return loss + std::fma(T(0.5), logarithm(static_cast<T>(6.283185307179586) * t), log_factorial);
        }
    }
}

template <class T>
T element_derivative(const LossCall<T>& g, size c, T f, T x, T t) {
    const T d = x - t;
    switch (g.kind) {
        case mse:
            return (f + f) * d;
        case l1:
            return f * sign_or(d, T(1), T(-1));
        case huber:
            return f * clamped(d, g.first);
        case smooth_l1:
            if (g.first == 0) return f * sign_or(d, T(1), T(-1));
            return f * (clamped(d, g.first) / g.first);
        case quantile:
            return f * sign_or(d, T(1) - g.first, -g.first);
        case bce_with_logits: {
            const T e = exponential(-std::fabs(x));
            const T sigmoid = (x < 0 ? e : T(1)) / (1 + e);
            T slope = sigmoid - t;
            if (g.pos_weight) {
                slope = std::fma(std::fma(g.pos_weight[c] - 1, t, T(1)), sigmoid, T(0) - g.pos_weight[c] * t);
            }
            return f * (g.weight ? g.weight[c] * slope : slope);
        }
        default:
            return f * (g.log_input ? exponential(x) - t : 1 - t / (x + g.first));
    }
}

// The loss of row b, in float64, without its sample's weight.
template <class T>
double row_loss(const LossCall<T>& g, size b) {
    const T* x = g.x + b * g.cols;
    double loss = 0;
    if (g.ignored(b)) return 0;
    if (g.kind == nll) {
        const double minus = 0 - static_cast<double>(x[g.indices[b]]);
        return g.weight ? static_cast<double>(g.weight[g.indices[b]]) * minus : minus;
    }
    if (g.kind == mse) {
        for (size c = 0; c < g.cols; ++c) {
            const auto d = static_cast<double>(x[c] - g.target[b * g.cols + c]);
            loss = std::fma(d, d, loss);
        }
        return loss;
    }
    if (g.of_elements()) {
        for (size c = 0; c < g.cols; ++c) {
            loss = loss + static_cast<double>(element_value(g, c, x[c], g.target[b * g.cols + c]));
        }
        return loss;
    }
    T highest = x[0], sum = 0;
    for (size c = 1; c < g.cols; ++c) highest = highest > x[c] ? highest : x[c];
    for (size c = 0; c < g.cols; ++c) sum = sum + exponential(x[c] - highest);
    const T log_sum = logarithm(sum), keep = T(1) - g.first, share = g.first / static_cast<T>(g.cols);
    for (size c = 0; c < g.cols; ++c) {
        T u = share * g.cw(c);
        if (!g.indices) {
            u = g.target[b * g.cols + c];
            if (g.first != 0) u = std::fma(u, keep, share);
            if (g.weight) u = g.weight[c] * u;
        } else if (g.first == 0) {
            continue;
        }
        loss = std::fma(static_cast<double>(u), static_cast<double>(log_sum - (x[c] - highest)), loss);
    }
    if (g.indices) {
        const size own = g.indices[b];
        const T likelihood = log_sum - (x[own] - highest);
        loss = std::fma(static_cast<double>(keep * g.cw(own)), static_cast<double>(likelihood), loss);
    }
    return loss;
}

template <class T>
double divisor(const LossCall<T>& g) {
    if (g.reduction != 0) return 1;
    double total = 0;
    for (size b = 0; b < g.rows; ++b) {
        if (g.ignored(b)) continue;
        const double own = g.indices ? static_cast<double>(g.cw(g.indices[b])) : 1.0;
        total = total + static_cast<double>(g.w(b)) * own;
    }
    return g.of_elements() ? static_cast<double>(g.cols) * total : total;
}

template <class T>
double loss_forward(const LossCall<T>& g, T* values) {
    double total = 0;
    for (size b = 0; b < g.rows; ++b) {
        const auto w = static_cast<double>(g.w(b));
        if (g.reduction != 2) {
            const double loss = row_loss(g, b);
            total = total + (g.sample_weight ? w * loss : loss);
        } else if (!g.of_elements()) {
            values[b] = static_cast<T>(w * row_loss(g, b));
        } else {
            for (size c = 0; c < g.cols; ++c) {
                const T value = element_value(g, c, g.x[b * g.cols + c], g.target[b * g.cols + c]);
                values[b * g.cols + c] = g.sample_weight ? g.w(b) * value : value;
            }
        }
    }
    return total / divisor(g);
}

template <class T>
void cross_entropy_row(const LossCall<T>& g, size b, T f, T* grad) {
    const T* x = g.x + b * g.cols;
    T highest = x[0], sum = 0, whole = 0;
    for (size c = 1; c < g.cols; ++c) highest = highest > x[c] ? highest : x[c];
    for (size c = 0; c < g.cols; ++c) sum = sum + exponential(x[c] - highest);
    const T keep = T(1) - g.first, share = g.first / static_cast<T>(g.cols);
    const auto mass = [&](size c) {
        if (g.indices) return c == g.indices[b] ? share * g.cw(c) + keep * g.cw(c) : share * g.cw(c);
        T u = g.target[b * g.cols + c];
        if (g.first != 0) u = std::fma(u, keep, share);
        return g.weight ? g.weight[c] * u : u;
    };
    for (size c = 0; c < g.cols; ++c) whole = whole + (g.indices ? share * g.cw(c) : mass(c));
    if (g.indices) whole = whole + keep * g.cw(g.indices[b]);
    for (size c = 0; c < g.cols; ++c) {
        grad[c] = f * std::fma(whole, exponential(x[c] - highest) / sum, T(0) - mass(c));
    }
}

template <class T>
void loss_backward(const LossCall<T>& g, const T* grad_output, T* grad) {
    const T scale = static_cast<T>(1.0 / divisor(g));
    for (size b = 0; b < g.rows; ++b) {
        T* row = grad + b * g.cols;
        for (size c = 0; c < g.cols; ++c) {
            T f = scale;
            if (grad_output) f = g.of_elements() ? grad_output[b * g.cols + c] : grad_output[b];
            if (g.sample_weight) f = f * g.w(b);
            if (g.of_elements()) {
                row[c] = element_derivative(g, c, f, g.x[b * g.cols + c], g.target[b * g.cols + c]);
            } else if (g.ignored(b)) {
                row[c] = 0;
            } else if (g.kind == nll) {
                row[c] = c == g.indices[b] ? T(0) - (g.weight ? f * g.weight[c] : f) : T(0);
            } else if (c == 0) {
                cross_entropy_row(g, b, f, row);
            }
        }
    }
}

}  // namespace
