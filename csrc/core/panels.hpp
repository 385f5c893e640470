// A dense layer whose weights will not change, laid out once for its forward pass:
//
//   panels of P = 512 bytes of T, one after the other; panel p has [in_features][width(p)] elements,
//   panel p [k, l] = weight[P p + l, k]
//   width(p) = P, or in the last panel what is left of out_features, rounded up to a cache line with zeros
//   y[b, o] = activation((chain over k ascending of x[b, k] * weight[o, k], from +0) + bias[o])
//
// With a scale (weights kept as integers) the chain is multiplied by it, or fma(chain, scale[o], bias[o]).
// For one row the whole array is read from its first byte to its last, which is as fast as memory gets; or
// panel by panel from the last to the first, which finds there what the pass before read last. One layout
// serves every instruction set, so that a file of it can be mapped into memory and used as it is.
#pragma once

#include "core/compiler.hpp"
#include "core/names.hpp"
#include "core/views.hpp"

namespace ne_torch {

template <class T>
inline constexpr index_t kPanelLine = 64 / static_cast<index_t>(sizeof(T));
template <class T>
inline constexpr index_t kPanelWidth = 8 * kPanelLine<T>;

// of the panel whose first output is `first`
template <class T>
NE_TORCH_INLINE constexpr index_t panel_width(index_t out_features, index_t first) {
    const index_t rest = (out_features - first + kPanelLine<T> - 1) / kPanelLine<T> * kPanelLine<T>;
    return rest < kPanelWidth<T> ? rest : kPanelWidth<T>;
}

// elements of all panels
template <class T>
constexpr index_t panels_size(index_t in_features, index_t out_features) {
    return (out_features + kPanelLine<T> - 1) / kPanelLine<T> * kPanelLine<T> * in_features;
}

template <class T>
struct PanelArgs {
    index_t rows = 0;
    index_t in_features = 0;
    index_t out_features = 0;
    Matrix<const T> x;
    WeightFormat format = WeightFormat::same;
    const void* panels = nullptr;  // of T, of the upper halves of floats, or of 8-bit integers
    const T* bias = nullptr;       // (out_features,), or null
    const T* scale = nullptr;      // (out_features,), or null
    Activation activation = Activation::identity;  // identity or relu: what fits the store
    Matrix<T> y;
    bool from_last = false;  // panel to the first, in dense_forward, where rows are few
};

}  // namespace ne_torch
