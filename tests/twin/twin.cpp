// The arithmetic of docs/reproducibility.md written down once more, as plainly as it can be: loops and
// std::fma, one thread, no vector, no block, nothing shared with csrc/. tests/test_twin.py compares it with
// every table.
//
// Arrays are row-major: input (batch, in), weight (out, in), output and grad_output (batch, out).
#include <cmath>
#include <cstdint>

#include "activations.hpp"

namespace {

using size = std::int64_t;

template <class T>
void affine_forward(const T* input, const T* weight, const T* bias, size batch, size in, size out,
                    T* output) {
    for (size b = 0; b < batch; ++b) {
        for (size o = 0; o < out; ++o) {
            T sum = 0;
            for (size k = 0; k < in; ++k) sum = std::fma(input[b * in + k], weight[o * in + k], sum);
            output[b * out + o] = bias ? sum + bias[o] : sum;
        }
    }
}

template <class T>
void affine_backward(const T* grad_output, const T* input, const T* weight, size batch, size in, size out,
                     T* grad_input, T* grad_weight, T* grad_bias) {
    for (size b = 0; b < batch; ++b) {
        for (size k = 0; k < in; ++k) {
            T sum = 0;
            for (size o = 0; o < out; ++o) sum = std::fma(grad_output[b * out + o], weight[o * in + k], sum);
            grad_input[b * in + k] = sum;
        }
    }
    for (size o = 0; o < out; ++o) {
        for (size k = 0; k < in; ++k) {
            T sum = 0;
            for (size b = 0; b < batch; ++b) sum = std::fma(grad_output[b * out + o], input[b * in + k], sum);
            grad_weight[o * in + k] = sum;
        }
        T sum = 0;
        for (size b = 0; b < batch; ++b) sum = sum + grad_output[b * out + o];
        grad_bias[o] = sum;
    }
}

template <class T>
void softmax_forward(const T* input, size rows, size cols, T* output) {
    for (size i = 0; i < rows; ++i) {
        const T* x = input + i * cols;
        T* y = output + i * cols;
        T highest = x[0];
        for (size c = 1; c < cols; ++c) highest = highest > x[c] ? highest : x[c];
        T total = 0;
        for (size c = 0; c < cols; ++c) {
            y[c] = exponential(x[c] - highest);
            total = total + y[c];
        }
        for (size c = 0; c < cols; ++c) y[c] = y[c] / total;
    }
}

template <class T>
void softmax_backward(const T* grad_output, const T* output, size rows, size cols, T* grad_input) {
    for (size i = 0; i < rows; ++i) {
        T total = 0;
        for (size c = 0; c < cols; ++c) {
            total = std::fma(grad_output[i * cols + c], output[i * cols + c], total);
        }
        for (size c = 0; c < cols; ++c) {
            grad_input[i * cols + c] = output[i * cols + c] * (grad_output[i * cols + c] - total);
        }
    }
}

}  // namespace

#include "losses.hpp"

namespace {

template <class T>
double square_sum(const T* values, size rows, size cols) {
    double total = 0;
    for (size i = 0; i < rows; ++i) {
        double row = 0;
        for (size j = 0; j < cols; ++j) {
            const double value = static_cast<double>(values[i * cols + j]);
            row = std::fma(value, value, row);
        }
        total = total + row;
    }
    return total;
}

template <class T>
void sgd_update(const T* grad, size n, double lr, double momentum, double weight_decay, bool nesterov,
                T* velocity, T* param) {
    const T rate = static_cast<T>(lr), mu = static_cast<T>(momentum), decay = static_cast<T>(weight_decay);
    for (size i = 0; i < n; ++i) {
        T g = decay == T(0) ? grad[i] : std::fma(decay, param[i], grad[i]);
        if (mu != T(0)) {
            velocity[i] = std::fma(mu, velocity[i], g);
            g = nesterov ? std::fma(mu, velocity[i], g) : velocity[i];
        }
        param[i] = std::fma(-rate, g, param[i]);
    }
}

double power(double base, size exponent) {  // b^1 b^2 b^4 ..., the factors that the exponent's bits name
    double result = 1;
    while (exponent > 0) {
        if (exponent % 2 == 1) result = result * base;
        base = base * base;
        exponent = exponent / 2;
    }
    return result;
}

template <class T>
T decayed_gradient(T grad, T param, double weight_decay, size maximize) {
    if (maximize) grad = T(0) - grad;
    const T decay = static_cast<T>(weight_decay);
    return decay == T(0) ? grad : std::fma(decay, param, grad);
}

template <class T>
void adam_update(const T* grad, size n, size step, double lr, double beta1, double beta2, double eps,
                 double weight_decay, size amsgrad, size maximize, size decoupled, T* m, T* v, T* u,
                 T* param) {
    const T rate = static_cast<T>(lr / (1 - power(beta1, step)));
    const T scale = static_cast<T>(1 / std::sqrt(1 - power(beta2, step)));
    const T first = static_cast<T>(1 - beta1), second = static_cast<T>(1 - beta2);
    const T kept = static_cast<T>(beta2), guard = static_cast<T>(eps);
    const T shrink = decoupled ? static_cast<T>(1 - lr * weight_decay) : T(1);
    for (size i = 0; i < n; ++i) {
        const T g = decayed_gradient(grad[i], param[i], decoupled ? 0.0 : weight_decay, maximize);
        m[i] = std::fma(first, g - m[i], m[i]);
        v[i] = std::fma(second * g, g, kept * v[i]);
        if (amsgrad) u[i] = u[i] > v[i] ? u[i] : v[i];
        const T root = std::sqrt(amsgrad ? u[i] : v[i]);
        const T start = shrink == T(1) ? param[i] : shrink * param[i];
        param[i] = std::fma(-rate, m[i] / std::fma(root, scale, guard), start);
    }
}

template <class T>
void rmsprop_update(const T* grad, size n, double lr, double alpha, double eps, double weight_decay,
                    double momentum, size centered, size maximize, T* v, T* velocity, T* m, T* param) {
    const T rate = static_cast<T>(lr), share = static_cast<T>(1 - alpha), kept = static_cast<T>(alpha);
    const T guard = static_cast<T>(eps), mu = static_cast<T>(momentum);
    for (size i = 0; i < n; ++i) {
        const T g = decayed_gradient(grad[i], param[i], weight_decay, maximize);
        v[i] = std::fma(share * g, g, kept * v[i]);
        T square = v[i];
        if (centered) {
            m[i] = std::fma(share, g - m[i], m[i]);
            square = std::fma(T(0) - m[i], m[i], v[i]);
            square = T(0) > square ? T(0) : square;
        }
        T direction = g / (std::sqrt(square) + guard);
        if (mu != T(0)) direction = velocity[i] = std::fma(mu, velocity[i], direction);
        param[i] = std::fma(-rate, direction, param[i]);
    }
}

template <class T>
void adagrad_update(const T* grad, size n, size step, double lr, double lr_decay, double eps,
                    double weight_decay, size maximize, T* sum, T* param) {
    const T rate = static_cast<T>(lr / (1 + static_cast<double>(step - 1) * lr_decay));
    const T guard = static_cast<T>(eps);
    for (size i = 0; i < n; ++i) {
        const T g = decayed_gradient(grad[i], param[i], weight_decay, maximize);
        sum[i] = std::fma(g, g, sum[i]);
        param[i] = std::fma(-rate, g / (std::sqrt(sum[i]) + guard), param[i]);
    }
}

}  // namespace

#define NE_TORCH_TWIN(T, dtype)                                                                             \
    extern "C" void affine_forward_##dtype(const T* x, const T* w, const T* b, size batch, size in,         \
                                           size out, T* y) {                                                \
        affine_forward(x, w, b, batch, in, out, y);                                                         \
    }                                                                                                       \
    extern "C" void affine_backward_##dtype(const T* g, const T* x, const T* w, size batch, size in,        \
                                            size out, T* gx, T* gw, T* gb) {                                \
        affine_backward(g, x, w, batch, in, out, gx, gw, gb);                                               \
    }                                                                                                       \
    extern "C" void activation_forward_##dtype(size kind, const T* x, size n, double a, double b, T* y) {   \
        for (size i = 0; i < n; ++i) y[i] = activate(kind, x[i], static_cast<T>(a), static_cast<T>(b));     \
    }                                                                                                       \
    extern "C" void activation_backward_##dtype(size kind, const T* g, const T* x, size n, double a,        \
                                                double b, T* gx) {                                          \
        for (size i = 0; i < n; ++i) {                                                                      \
            gx[i] = activation_gradient(kind, g[i], x[i], static_cast<T>(a), static_cast<T>(b));            \
        }                                                                                                   \
    }                                                                                                       \
    extern "C" void log_softmax_forward_##dtype(const T* x, size rows, size cols, T* y) {                   \
        log_softmax_forward(x, rows, cols, y);                                                              \
    }                                                                                                       \
    extern "C" void log_softmax_backward_##dtype(const T* g, const T* y, size rows, size cols, T* gx) {     \
        log_softmax_backward(g, y, rows, cols, gx);                                                         \
    }                                                                                                       \
    extern "C" void exponential_##dtype(const T* x, size n, T* y) {                                         \
        for (size i = 0; i < n; ++i) y[i] = exponential(x[i]);                                              \
    }                                                                                                       \
    extern "C" void softmax_forward_##dtype(const T* x, size rows, size cols, T* y) {                       \
        softmax_forward(x, rows, cols, y);                                                                  \
    }                                                                                                       \
    extern "C" void softmax_backward_##dtype(const T* g, const T* y, size rows, size cols, T* gx) {         \
        softmax_backward(g, y, rows, cols, gx);                                                             \
    }                                                                                                       \
    extern "C" void logarithms_##dtype(const T* x, size n, T* y, T* z) {                                    \
        for (size i = 0; i < n; ++i) y[i] = logarithm(x[i]), z[i] = logarithm_of_one_plus(x[i]);            \
    }                                                                                                       \
    extern "C" double loss_forward_##dtype(const LossCall<T>* g, T* values) {                               \
        return loss_forward(*g, values);                                                                    \
    }                                                                                                       \
    extern "C" void loss_backward_##dtype(const LossCall<T>* g, const T* grad_output, T* grad) {            \
        loss_backward(*g, grad_output, grad);                                                               \
    }                                                                                                       \
    extern "C" double square_sum_##dtype(const T* x, size rows, size cols) {                                \
        return square_sum(x, rows, cols);                                                                   \
    }                                                                                                       \
    extern "C" void sgd_update_##dtype(const T* g, size n, double lr, double momentum, double weight_decay, \
                                       int nesterov, T* v, T* p) {                                          \
        sgd_update(g, n, lr, momentum, weight_decay, nesterov != 0, v, p);                                  \
    }                                                                                                       \
    extern "C" void adam_update_##dtype(const T* g, size n, size step, double lr, double beta1,             \
                                        double beta2, double eps, double weight_decay, size amsgrad,        \
                                        size maximize, size decoupled, T* m, T* v, T* u, T* p) {            \
        adam_update(g, n, step, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled, m, v, u, \
                    p);                                                                                     \
    }                                                                                                       \
    extern "C" void rmsprop_update_##dtype(const T* g, size n, double lr, double alpha, double eps,         \
                                           double weight_decay, double momentum, size centered,             \
                                           size maximize, T* v, T* b, T* m, T* p) {                         \
        rmsprop_update(g, n, lr, alpha, eps, weight_decay, momentum, centered, maximize, v, b, m, p);       \
    }                                                                                                       \
    extern "C" void adagrad_update_##dtype(const T* g, size n, size step, double lr, double lr_decay,       \
                                           double eps, double weight_decay, size maximize, T* s, T* p) {    \
        adagrad_update(g, n, step, lr, lr_decay, eps, weight_decay, maximize, s, p);                        \
    }

NE_TORCH_TWIN(float, float32)
NE_TORCH_TWIN(double, float64)
