// Dropout of feature-major (features, count) matrices; lanes are samples.
//
//   output = kept ? input * scale : +0      forward, and backward with grad_output for input
//
// See core/dropout_args.hpp for what is kept. A counter gives the words of four features. In place is fine.
#pragma once

#include <cstdint>

#include "core/dropout_args.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"
#include "kernels/philox.hpp"

namespace ne_torch {

template <class V>
void dropout(const DropoutArgs& args, index_t features, index_t count, Matrix<const typename V::T> input,
             Matrix<typename V::T> output) {
    using Words = typename V::Words;
    const V scale = V::broadcast(static_cast<typename V::T>(args.scale));
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        const Words sample = Words::counting(args.first_sample + static_cast<std::uint32_t>(j));
        for (index_t f = 0; f < features; f += 4) {
            Words word[4] = {Words::broadcast(static_cast<std::uint32_t>(args.pass)),
                             Words::broadcast(static_cast<std::uint32_t>(args.pass >> 32)), sample,
                             Words::broadcast(static_cast<std::uint32_t>(f / 4))};
            philox4x32(word, args.seed);
            for (index_t c = 0; c < 4 && f + c < features; ++c) {
                const V scaled = lanes.load(input.at(f + c, j)) * scale;
                lanes.store(output.at(f + c, j), V::keep_where_above(word[c], args.highest_dropped, scaled));
            }
        }
    });
}

}  // namespace ne_torch
