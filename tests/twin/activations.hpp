// Element-wise activations and softmax's logarithm as docs/reproducibility.md defines them.
#include <cmath>
#include <cstdint>

#include "elementary.hpp"

// in the order of ACTIVATIONS in twin_library.py
enum Kind {
    identity,
    relu,
    leaky_relu,
    hardtanh,
    elu,
    selu,
    sigmoid,
    tanh_,
    silu,
    softplus,
    gelu,
    gelu_tanh
};

constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;
constexpr double root_half = 0.70710678118654752, one_over_root_two_pi = 0.39894228040143268;
constexpr double root_two_over_pi = 0.79788456080286536, cubic = 0.044715;

template <class T>
T gelu_inner(T x) {
    return hyperbolic_tangent(T(root_two_over_pi) * std::fma(T(cubic) * x * x, x, x));
}

template <class T>
T activate(std::int64_t kind, T x, T a, T b) {
    switch (kind) {
        case relu:
            return T(0) > x ? T(0) : x;
        case leaky_relu:
            return x > 0 ? x : a * x;
        case hardtanh:
            return a > x ? a : b < x ? b : x;
        case elu:
            return x > 0 ? x : a * exponential_less_one(x);
        case selu:
            return x > 0 ? T(selu_scale) * x : T(selu_scale * selu_alpha) * exponential_less_one(x);
        case sigmoid:
            return logistic(x);
        case tanh_:
            return hyperbolic_tangent(x);
        case silu:
            return x * logistic(x);
        case softplus: {
            const T t = a * x;
            if (t > b) return x;
            return ((T(0) > t ? T(0) : t) + logarithm_of_one_plus(exponential(-std::fabs(t)))) / a;
        }
        case gelu:
            return x / 2 * (1 + error_function(x * T(root_half)));
        case gelu_tanh:
            return x / 2 * (1 + gelu_inner(x));
        default:
            return x;
    }
}

template <class T>
T activation_gradient(std::int64_t kind, T grad, T x, T a, T b) {
    const T y = activate(kind, x, a, b);
    switch (kind) {
        case relu:
            return y <= 0 ? T(0) : grad;
        case leaky_relu:
            return x > 0 ? grad : a * grad;
        case hardtanh:
            return a < x && x < b ? grad : T(0);
        case elu:
            return x > 0 ? grad : grad * (a * exponential(x));
        case selu:
            return x > 0 ? grad * T(selu_scale) : grad * (T(selu_scale * selu_alpha) * exponential(x));
        case sigmoid:
            return grad * (1 - y) * y;
        case tanh_:
            return grad * std::fma(-y, y, T(1));
        case silu: {
            const T s = logistic(x);
            return grad * (s * std::fma(x, 1 - s, T(1)));
        }
        case softplus:
            return a * x > b ? grad : grad * logistic(a * x);
        case gelu: {
            const T density = T(one_over_root_two_pi) * exponential(-(x / 2 * x));
            return grad * std::fma(x, density, (1 + error_function(x * T(root_half))) / 2);
        }
        case gelu_tanh: {
            const T t = gelu_inner(x), slope = T(root_two_over_pi) * std::fma(T(3 * cubic) * x, x, T(1));
            return grad * std::fma(x / 2 * std::fma(-t, t, T(1)), slope, (1 + t) / 2);
        }
        default:
            return grad;
    }
}

template <class T>
void log_softmax_forward(const T* input, std::int64_t rows, std::int64_t cols, T* output) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const T* x = input + i * cols;
        T highest = x[0], total = 0;
        for (std::int64_t c = 1; c < cols; ++c) highest = highest > x[c] ? highest : x[c];
        for (std::int64_t c = 0; c < cols; ++c) total = total + exponential(x[c] - highest);
        for (std::int64_t c = 0; c < cols; ++c) output[i * cols + c] = x[c] - highest - logarithm(total);
    }
}

template <class T>
void log_softmax_backward(const T* grad, const T* output, std::int64_t rows, std::int64_t cols, T* result) {
    for (std::int64_t i = 0; i < rows; ++i) {
        T total = 0;
        for (std::int64_t c = 0; c < cols; ++c) total = total + grad[i * cols + c];
        for (std::int64_t c = i * cols; c < (i + 1) * cols; ++c) {
            result[c] = std::fma(exponential(output[c]), 0 - total, grad[c]);
        }
    }
}
