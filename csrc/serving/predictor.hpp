// The forward pass of a network that will not change: blocks of rows go through all of its stages while they
// are in the cache, threads share out the rows. Immutable, so any number of threads may predict at once.
//
// Everything stays batch-major, and the weights of dense stages lie in panels (core/panels.hpp), so nothing
// is packed or transposed at run time. Arrays are borrowed: they belong to the Python predictor.
#pragma once

#include <optional>
#include <vector>

#include "core/kernel_table.hpp"
#include "core/views.hpp"
#include "serving/lookup.hpp"

namespace ne_torch {

template <class T>
struct FrozenStage {
    StageKind kind;
    index_t in_features;
    index_t out_features;
    ActivationOptions<T> activation = {};      // of an activation; of a dense stage identity or relu
    WeightFormat format = WeightFormat::same;  // of a dense stage, as what follows
    const void* panels = nullptr;
    const T* bias = nullptr;    // of layer_norm too; the shift of scale_shift
    const T* scale = nullptr;   // of scale_shift too
    const T* weight = nullptr;  // of layer_norm
    T eps = 0;                  // of layer_norm
    std::size_t slot = 0;       // of keep, which keeps a copy of x there, and of add_kept, which adds it
    Lookup<T> lookup = {};      // of tabular_embedding
};

template <class T>
class Predictor {
  public:
    // At least one stage, each taking the width of the one before, and add_kept what was kept before with its
    // width, and tabular_embedding the rows that come in; std::invalid_argument otherwise.
    explicit Predictor(std::vector<FrozenStage<T>> stages);

    // y[b, :] = the network of x[b, :]; both contiguous. Where x has a wrong code nothing is written, and the
    // first one comes back.
    std::optional<WrongCode<T>> run(index_t rows, const T* x, T* y) const;

    index_t in_features() const { return stages_.front().in_features; }
    index_t out_features() const { return stages_.back().out_features; }
    double work_per_row() const { return work_per_row_; }  // multiply-adds, with a few for the rest

  private:
    // What one thread needs besides x and y.
    struct Room {
        T* activations[2];
        T* kept;     // slot by slot
        T* packing;  // of dense_forward
        T* turned;
    };

    index_t stride_after(std::size_t stage) const;
    Matrix<T> kept(std::size_t slot, index_t rows, const Room& room) const;
    void run_block(index_t rows, Matrix<const T> x, T* y, const Room& room) const;

    std::vector<FrozenStage<T>> stages_;
    index_t widest_ = 0;         // elements of a row of activations, with its padding
    index_t turned_room_ = 0;    // elements
    std::vector<index_t> kept_;  // the last width of each slot
    double work_per_row_ = 0;
};

}  // namespace ne_torch
