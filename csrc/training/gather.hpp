// What is trained on: all samples as the caller has them, and blocks of them, in the order they are taken in.
// Called by the engine.
#pragma once

#include <cstdint>

#include "core/partition.hpp"
#include "core/views.hpp"
#include "training/loss.hpp"

namespace ne_torch {

template <class T>
struct Samples {
    index_t count;
    const T* input;                       // (count, in_features)
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
};

// The samples from number `first` of the order on: where they lie, or copied into the room. A member copies
// those that it will read, `mine` of the rows, so that no barrier is needed in between.
template <class T>
Batch<T> gather(const Samples<T>& samples, index_t first, index_t rows, Range mine, const Gathered<T>& room);

}  // namespace ne_torch
