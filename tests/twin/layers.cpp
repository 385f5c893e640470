// The twin of dropout, normalisation and embeddings: plain loops over batch-major arrays, as
// docs/reproducibility.md defines them. It shares nothing with the kernels.
#include <cmath>
#include <cstdint>

namespace {

using size = std::int64_t;
using word = std::uint32_t;

word drawn(std::uint64_t seed, std::uint64_t pass, size sample, size feature) {
    word c[4] = {word(pass), word(pass >> 32), word(sample), word(feature / 4)};
    word k[2] = {word(seed), word(seed >> 32)};
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t first = std::uint64_t{0xD2511F53} * c[0];
        const std::uint64_t second = std::uint64_t{0xCD9E8D57} * c[2];
        const word next[4] = {word(second >> 32) ^ c[1] ^ k[0], word(second), word(first >> 32) ^ c[3] ^ k[1],
                              word(first)};
        for (int i = 0; i < 4; ++i) c[i] = next[i];
        k[0] += 0x9E3779B9;
        k[1] += 0xBB67AE85;
    }
    return c[feature % 4];
}

template <class T>
void dropout(const T* x, std::uint64_t seed, std::uint64_t pass, double p, size rows, size cols, T* y) {
    const T scale = static_cast<T>(1 / (1 - p));
    const double threshold = std::floor(p * 4294967296.0 + 0.5);
    for (size b = 0; b < rows; ++b) {
        for (size f = 0; f < cols; ++f) {
            const bool kept = static_cast<double>(drawn(seed, pass, b, f)) >= threshold;
            y[b * cols + f] = kept ? x[b * cols + f] * scale : T(0);
        }
    }
}

// of n elements, step apart
template <class T>
void normalize(const T* x, size n, size step, T eps, T& mean, T& square, T& rstd, T* normalized) {
    mean = 0;
    square = 0;
    for (size i = 0; i < n; ++i) mean = mean + x[i * step];
    mean = mean / static_cast<T>(n);
    for (size i = 0; i < n; ++i) square = std::fma(x[i * step] - mean, x[i * step] - mean, square);
    rstd = T(1) / std::sqrt(square / static_cast<T>(n) + eps);
    for (size i = 0; i < n; ++i) normalized[i * step] = (x[i * step] - mean) * rstd;
}

template <class T>
void scale_features(const T* x, const T* w, const T* b, size rows, size cols, T* y) {
    for (size i = 0; i < rows * cols; ++i) {
        const size f = i % cols;
        y[i] = !w ? x[i] : !b ? x[i] * w[f] : std::fma(x[i], w[f], b[f]);
    }
}

template <class T>
void layer_norm_forward(const T* x, const T* w, const T* b, double eps, size rows, size cols, T* y,
                        T* normalized, T* rstd) {
    T mean, square;
    for (size r = 0; r < rows; ++r) {
        normalize(x + r * cols, cols, 1, static_cast<T>(eps), mean, square, rstd[r], normalized + r * cols);
    }
    scale_features(normalized, w, b, rows, cols, y);
}

template <class T>
void layer_norm_backward(const T* grad, const T* normalized, const T* rstd, const T* w, size rows, size cols,
                         T* grad_input) {
    for (size r = 0; r < rows; ++r) {
        T sum = 0, dot = 0;
        for (size f = 0; f < cols; ++f) {
            const T g = w ? grad[r * cols + f] * w[f] : grad[r * cols + f];
            sum = sum + g;
            dot = std::fma(g, normalized[r * cols + f], dot);
        }
        sum = sum / static_cast<T>(cols);
        dot = dot / static_cast<T>(cols);
        for (size f = 0; f < cols; ++f) {
            const size i = r * cols + f;
            const T g = w ? grad[i] * w[f] : grad[i];
            grad_input[i] = rstd[r] * std::fma(T(0) - normalized[i], dot, g - sum);
        }
    }
}

template <class T>
void parameter_gradients(const T* grad, const T* normalized, size rows, size cols, T* grad_w, T* grad_b) {
    for (size f = 0; f < cols; ++f) {
        grad_w[f] = grad_b[f] = 0;
        for (size r = 0; r < rows; ++r) {
            grad_w[f] = std::fma(grad[r * cols + f], normalized[r * cols + f], grad_w[f]);
            grad_b[f] = grad_b[f] + grad[r * cols + f];
        }
    }
}

template <class T>
void batch_norm_forward(const T* x, const T* w, const T* b, double eps, double momentum, size rows, size cols,
                        T* running_mean, T* running_var, T* y, T* normalized, T* rstd) {
    const T share = static_cast<T>(momentum), kept = static_cast<T>(1 - momentum);
    for (size f = 0; f < cols; ++f) {
        T mean, square;
        normalize(x + f, rows, cols, static_cast<T>(eps), mean, square, rstd[f], normalized + f);
        running_mean[f] = std::fma(share, mean, kept * running_mean[f]);
        running_var[f] = std::fma(share, square / static_cast<T>(rows - 1), kept * running_var[f]);
    }
    scale_features(normalized, w, b, rows, cols, y);
}

template <class T>
void batch_norm_backward(const T* grad, const T* normalized, const T* rstd, const T* w, size rows, size cols,
                         T* grad_input, T* grad_w, T* grad_b) {
    parameter_gradients(grad, normalized, rows, cols, grad_w, grad_b);
    for (size i = 0; i < rows * cols; ++i) {
        const size f = i % cols;
        const T factor = w ? rstd[f] * w[f] : rstd[f];
        const T centred = grad[i] - grad_b[f] / static_cast<T>(rows);
        grad_input[i] = factor * std::fma(T(0) - normalized[i], grad_w[f] / static_cast<T>(rows), centred);
    }
}

template <class T>
void batch_norm_eval(const T* x, const T* w, const T* b, const T* mean, const T* var, double eps, size rows,
                     size cols, T* y) {
    for (size i = 0; i < rows * cols; ++i) {
        const size f = i % cols;
        const T scale = (w ? w[f] : T(1)) / std::sqrt(var[f] + static_cast<T>(eps));
        y[i] = std::fma(x[i], scale, std::fma(-mean[f], scale, b ? b[f] : T(0)));
    }
}

template <class T>
void embedding_backward(const T* grad, const size* codes, size count, size dim, size rows, size padding,
                        T* table) {
    for (size row = 0; row < rows; ++row) {
        for (size d = 0; d < dim; ++d) {
            T sum = 0;
            for (size b = 0; b < count; ++b) {
                if (codes[b] == row && row != padding) sum = sum + grad[b * dim + d];
            }
            table[row * dim + d] = sum;
        }
    }
}

// Bytes come as numbers of the dtype, which are exact.
template <class T>
void scale_bytes(const T* x, const T* scale, const T* shift, size rows, size cols, T* y) {
    for (size i = 0; i < rows; ++i) {
        for (size j = 0; j < cols; ++j) y[i * cols + j] = std::fma(x[i * cols + j], scale[j], shift[j]);
    }
}

}  // namespace

#define NE_TORCH_TWIN(T, dtype)                                                                              \
    extern "C" void scale_bytes_##dtype(const T* x, const T* s, const T* t, size rows, size cols, T* y) {    \
        scale_bytes(x, s, t, rows, cols, y);                                                                 \
    }                                                                                                        \
    extern "C" void dropout_##dtype(const T* x, size seed, size pass, double p, size rows, size cols,        \
                                    T* y) {                                                                  \
        dropout(x, static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(pass), p, rows, cols, y);    \
    }                                                                                                        \
    extern "C" void layer_norm_forward_##dtype(const T* x, const T* w, const T* b, double eps, size rows,    \
                                               size cols, T* y, T* n, T* r) {                                \
        layer_norm_forward(x, w, b, eps, rows, cols, y, n, r);                                               \
    }                                                                                                        \
    extern "C" void layer_norm_backward_##dtype(const T* g, const T* n, const T* r, const T* w, size rows,   \
                                                size cols, T* gx) {                                          \
        layer_norm_backward(g, n, r, w, rows, cols, gx);                                                     \
    }                                                                                                        \
    extern "C" void parameter_gradients_##dtype(const T* g, const T* n, size rows, size cols, T* gw,         \
                                                T* gb) {                                                     \
        parameter_gradients(g, n, rows, cols, gw, gb);                                                       \
    }                                                                                                        \
    extern "C" void batch_norm_forward_##dtype(const T* x, const T* w, const T* b, double eps, double share, \
                                               size rows, size cols, T* rm, T* rv, T* y, T* n, T* r) {       \
        batch_norm_forward(x, w, b, eps, share, rows, cols, rm, rv, y, n, r);                                \
    }                                                                                                        \
    extern "C" void batch_norm_backward_##dtype(const T* g, const T* n, const T* r, const T* w, size rows,   \
                                                size cols, T* gx, T* gw, T* gb) {                            \
        batch_norm_backward(g, n, r, w, rows, cols, gx, gw, gb);                                             \
    }                                                                                                        \
    extern "C" void batch_norm_eval_##dtype(const T* x, const T* w, const T* b, const T* m, const T* v,      \
                                            double eps, size rows, size cols, T* y) {                        \
        batch_norm_eval(x, w, b, m, v, eps, rows, cols, y);                                                  \
    }                                                                                                        \
    extern "C" void embedding_backward_##dtype(const T* g, const size* codes, size count, size dim,          \
                                               size rows, size padding, T* table) {                          \
        embedding_backward(g, codes, count, dim, rows, padding, table);                                      \
    }

NE_TORCH_TWIN(float, float32)
NE_TORCH_TWIN(double, float64)
