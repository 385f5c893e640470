// The random numbers of a case of tables.cpp: the same for every table.
//
// Shapes are small, around the edges of vectors and tiles; values are normal numbers, subnormals, signed
// zeros, infinities, NaN, or numbers that cancel.
#pragma once

#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "core/views.hpp"
#include "random/draws.hpp"

namespace ne_torch {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 2654435769u + 1) {}
    std::uint64_t bits() {  // xorshift64*
        state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1Dull;
    }
    index_t below(index_t n) { return static_cast<index_t>((bits() >> 11) % static_cast<std::uint64_t>(n)); }
    index_t size() {
        static constexpr index_t edges[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,  11, 12, 13,
                                            15, 16, 17, 23, 24, 25, 31, 32, 33, 48, 64, 65};
        return edges[below(std::size(edges))];
    }

    template <class T>
    std::vector<T> values(index_t n) {
        using Limits = std::numeric_limits<T>;
        std::vector<T> result(static_cast<std::size_t>(n + 1));
        fill_normal<T>({bits(), 0}, 1, n, result.data());
        const index_t kind = below(4);
        for (T& value : result) {
            const auto factor = static_cast<T>(below(7) - 3);
            if (kind == 1) value = factor * Limits::denorm_min();
            if (kind == 2 && below(4) == 0) value = factor == T(0) ? -T(0) : factor * T(1e4);
            if (kind == 3 && below(16) == 0) {
                static constexpr T special[] = {
                    Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(), -T(0),
                    Limits::min()};
                value = special[below(std::size(special))];
            }
        }
        return result;
    }

  private:
    std::uint64_t state_;
};

}  // namespace ne_torch
