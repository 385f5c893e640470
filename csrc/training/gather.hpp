// What is trained on: all samples as the caller has them, and blocks of them, in the order they are taken in.
// Called by the engine.
#pragma once

#include <cstdint>

#include "core/kernel_table.hpp"
#include "core/partition.hpp"
#include "training/loss.hpp"

namespace ne_torch {

// Either is null.
template <class T>
struct Features {
    const T* values;                      // (count, in_features)
    const std::uint8_t* bytes = nullptr;  // the same; each is fma(byte, scale[j], shift[j])
    const T* scale = nullptr;
    const T* shift = nullptr;
};

template <class T>
struct Samples {
    index_t count;
    Features<T> input;
    Targets<T> targets;                   // of all
    const std::int64_t* order = nullptr;  // (count,) which sample comes when; null: as they lie
};

// Samples that follow each other, batch-major.
template <class T>
struct Batch {
    index_t rows;
    Matrix<const T> input;  // (rows, in_features), rows contiguous
    Targets<T> targets;
};

// Room for a block, batch-major.
template <class T>
struct Gathered {
    Matrix<T> input;
    Matrix<T> target;
    std::int64_t* indices;
    T* sample_weight;

    // from a row on
    Gathered below(index_t row) const {
        return {{input.at(row, 0), input.row_stride, 1},
                {target.at(row, 0), target.row_stride, 1},
                indices + row,
                sample_weight + row};
    }
};

// The samples from number `first` of the order on: where they lie, or copied into the room, where bytes are
// converted. A member copies those that it will read, `mine` of the rows, so that no barrier is needed in
// between.
template <class T>
Batch<T> gather(const Kernels<T>& kernels, const Samples<T>& samples, index_t first, index_t rows, Range mine,
                const Gathered<T>& room);

}  // namespace ne_torch
