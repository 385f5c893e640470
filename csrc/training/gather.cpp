#include "training/gather.hpp"

#include <cstring>

namespace ne_torch {
namespace {

// Row order[i] of source becomes row i of target; nothing where there is no source.
template <class U>
void copy_rows(const U* source, index_t width, const std::int64_t* order, Range rows, U* target) {
    if (!source) return;
    const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(U);
    for (index_t i = rows.begin; i < rows.end; ++i) {
        std::memcpy(target + i * width, source + order[i] * width, bytes);
    }
}

}  // namespace

template <class T>
Batch<T> gather(const Samples<T>& samples, index_t first, index_t rows, Range mine, const Gathered<T>& room) {
    const index_t in = room.input.row_stride;
    const Targets<T>& all = samples.targets;
    if (!samples.order) return {rows, {samples.input + first * in, in, 1}, all.below(first)};
    const std::int64_t* const order = samples.order + first;
    copy_rows(samples.input, in, order, mine, room.input.data);
    copy_rows(all.dense.data, all.dense.row_stride, order, mine, room.target.data);
    copy_rows(all.indices, 1, order, mine, room.indices);
    copy_rows(all.sample_weight, 1, order, mine, room.sample_weight);
    return {rows,
            {room.input.data, in, 1},
            {{room.target.data, room.target.row_stride, 1},
             all.indices ? room.indices : nullptr,
             all.sample_weight ? room.sample_weight : nullptr}};
}

template Batch<float> gather(const Samples<float>&, index_t, index_t, Range, const Gathered<float>&);
template Batch<double> gather(const Samples<double>&, index_t, index_t, Range, const Gathered<double>&);

}  // namespace ne_torch
