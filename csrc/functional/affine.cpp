#include "functional/affine.hpp"

#include <algorithm>

#include "core/aligned_buffer.hpp"
#include "core/padded.hpp"
#include "core/partition.hpp"
#include "dispatch/registry.hpp"
#include "threading/thread_pool.hpp"

namespace ne_torch {
namespace {

// Waking a sleeping worker takes some 50 us and a region between awake ones 1 us: below 4 million
// multiply-adds (17 us of a core at 230 GFLOP/s in float32) sharing cannot be trusted to win.
constexpr double kWorthSharing = 4e6;

// A product with few rows or columns pays for transposes in registers only where its chains are long.
constexpr index_t kLongChain = 64;

int team_for(double work) { return work < kWorthSharing ? 1 : num_threads(); }

// A product with packing room for a team of `count`, or for one member alone: a busy pool may leave it at
// that.
template <class T>
class SharedProduct {
  public:
    SharedProduct(const Kernels<T>& kernels, const GemmArgs<T>& whole, int count)
        : kernels_(kernels), whole_(whole) {
        for (int index = 0; index < count; ++index) {
            room_ = std::max(room_, kernels.gemm_workspace(share_gemm(whole, kernels.lanes, index, count)));
        }
        room_ = (room_ + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
        all_ = std::max(room_ * count, kernels.gemm_workspace(whole));
    }

    index_t room() const { return all_; }

    void run(const Team& team, T* room) const {
        GemmArgs<T> mine = share_gemm(whole_, kernels_.lanes, team.index, team.count);
        mine.workspace = room + team.index * room_;
        kernels_.gemm(mine);
    }

  private:
    const Kernels<T>& kernels_;
    GemmArgs<T> whole_;
    index_t room_ = 0;  // of one member of the full team
    index_t all_ = 0;
};

// Packing room lives as long as the thread, so that a call allocates nothing once its shapes have been seen.
template <class T>
T* scratch(index_t size) {
    thread_local AlignedBuffer<T> buffer;
    return buffer.reserve(size);
}

// A member's share of the rows of the matrix.
template <class T>
void run_matvec(const MatvecArgs<T>& whole, const Team& team) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Range mine = share_range(whole.rows, kernels.lanes, team.index, team.count);
    MatvecArgs<T> g = whole;
    g.rows = mine.end - mine.begin;
    g.matrix.data = whole.matrix.at(mine.begin, 0);
    if (g.bias && g.bias_of_row) g.bias += mine.begin;
    g.result.data = whole.result.at(0, mine.begin);
    kernels.matvec(g);
}

template <class T>
void shared_matvec(const MatvecArgs<T>& whole, double work) {
    parallel(team_for(work), work, [&](Team& team) { run_matvec(whole, team); });
}

// Outputs along the lanes.
template <class T>
void forward_few_samples(const AffineShape& s, const T* x, const T* weight, const T* bias, T* y) {
    MatvecArgs<T> g;
    g.rows = s.out_features;
    g.cols = s.in_features;
    g.count = s.batch;
    g.matrix = {weight, s.in_features, 1};
    g.vectors = {x, s.in_features, 1};
    g.bias = bias;
    g.bias_of_row = true;
    g.result = {y, s.out_features, 1};
    shared_matvec(g, s.work());
}

// Samples along the lanes: outputs would leave half of each vector without work, or more. So y comes turned.
template <class T>
void forward_few_outputs(const AffineShape& s, const T* x, const T* weight, const T* bias, T* y) {
    thread_local AlignedBuffer<T> turned;
    const index_t stride = padded<T>(s.batch);
    MatvecArgs<T> g;
    g.rows = s.batch;
    g.cols = s.in_features;
    g.count = s.out_features;
    g.matrix = {x, s.in_features, 1};
    g.vectors = {weight, s.in_features, 1};
    g.bias = bias;
    g.result = {s.out_features == 1 ? y : turned.reserve(s.out_features * stride), stride, 1};
    shared_matvec(g, s.work());
    if (s.out_features == 1) return;
    const Matrix<const T> from{g.result.data, stride, 1};
    active_kernels<T>().transpose(s.out_features, s.batch, from, {y, s.out_features, 1});
}

// Whether samples along the lanes leave fewer of them without work than outputs do, by a twentieth. That pays
// for transposing x while it is packed, and y: 64 x 784 -> 10 takes 0.75 of the time, 64 x 784 -> 100 0.8.
bool turning_pays(const AffineShape& s, index_t lanes) {
    const auto whole = [&](index_t length) { return (length + lanes - 1) / lanes * lanes; };
    if (lanes == 1 || s.batch < 2 * lanes) return false;
    return 20 * s.out_features * whole(s.batch) < 19 * whole(s.out_features) * s.batch;
}

// y turned, some samples after the other, so that it stays in the cache until it is turned back.
template <class T>
void forward_turned(const AffineShape& s, const T* x, const T* weight, const T* bias, T* y) {
    constexpr index_t block = 256;
    const Kernels<T>& kernels = active_kernels<T>();
    const index_t stride = padded<T>(std::min(s.batch, block));
    GemmArgs<T> g;
    g.m = s.out_features;
    g.n = std::min(s.batch, block);
    g.k = s.in_features;
    g.a = {weight, s.in_features, 1};
    g.b = {x, 1, s.in_features};
    g.c = {nullptr, stride, 1};
    g.epilogue = Epilogue::bias_row;
    g.bias = bias;
    const index_t room = padded<T>(kernels.gemm_workspace(g)), all = room + s.out_features * stride;
    const int threads = team_for(s.work());
    T* const rooms = scratch<T>(threads * all);
    parallel(threads, s.work(), [&](Team& team) {
        GemmArgs<T> mine = g;
        mine.workspace = rooms + team.index * all;
        mine.c.data = mine.workspace + room;
        const Range samples = share_range(s.batch, kernels.lanes, team.index, team.count);
        for (index_t first = samples.begin; first < samples.end; first += block) {
            mine.n = std::min(samples.end - first, block);
            mine.b.data = x + first * s.in_features;
            kernels.gemm(mine);
            const Matrix<const T> turned{mine.c.data, stride, 1};
            kernels.transpose(mine.m, mine.n, turned, {y + first * mine.m, mine.m, 1});
        }
    });
}

}  // namespace

template <class T>
void affine_forward(const AffineShape& s, const T* x, const T* weight, const T* bias, T* y) {
    const Kernels<T>& kernels = active_kernels<T>();
    if (s.in_features >= kLongChain) {
        const index_t few = kernels.few_vectors;
        if (s.batch <= few && s.out_features > 1) return forward_few_samples(s, x, weight, bias, y);
        const bool pays = s.out_features == 1 || s.batch >= 2 * kernels.lanes;
        if (s.out_features <= few && pays) return forward_few_outputs(s, x, weight, bias, y);
        if (turning_pays(s, kernels.lanes)) return forward_turned(s, x, weight, bias, y);
    }
    GemmArgs<T> g;
    g.m = s.batch;
    g.n = s.out_features;
    g.k = s.in_features;
    g.a = {x, s.in_features, 1};
    g.b = {weight, 1, s.in_features};
    g.c = {y, s.out_features, 1};
    g.epilogue = Epilogue::bias_column;
    g.bias = bias;
    const int threads = team_for(s.work());
    const SharedProduct<T> product(kernels, g, threads);
    T* const room = scratch<T>(product.room());
    parallel(threads, s.work(), [&](Team& team) { product.run(team, room); });
}

template <class T>
void affine_backward(const AffineShape& s, const T* grad_output, const T* x, const T* weight, T* grad_input,
                     T* grad_weight, T* grad_bias) {
    const Kernels<T>& kernels = active_kernels<T>();
    GemmArgs<T> input;
    input.m = s.batch;
    input.n = s.in_features;
    input.k = s.out_features;
    input.a = {grad_output, s.out_features, 1};
    input.b = {weight, s.in_features, 1};
    input.c = {grad_input, s.in_features, 1};

    const bool one_input = s.in_features == 1 && s.out_features >= kLongChain;
    GemmArgs<T> parameters;
    parameters.k = s.batch;
    if (one_input) {  // grad_weight is a row: its outputs lie along the lanes
        parameters.m = 1;
        parameters.n = s.out_features;
        parameters.a = {x, s.batch, 1};
        parameters.b = {grad_output, s.out_features, 1};
        parameters.c = {grad_weight, s.out_features, 1};
    } else {
        parameters.m = s.out_features;
        parameters.n = s.in_features;
        parameters.a = {grad_output, 1, s.out_features};
        parameters.b = {x, s.in_features, 1};
        parameters.c = {grad_weight, s.in_features, 1};
    }

    MatvecArgs<T> one;  // grad_input, where it is a column
    one.rows = s.batch;
    one.cols = s.out_features;
    one.matrix = {grad_output, s.out_features, 1};
    one.vectors = {weight, s.out_features, 1};
    one.result = {grad_input, s.batch, 1};

    const int threads = team_for(2 * s.work());
    const SharedProduct<T> input_product(kernels, input, threads);
    const SharedProduct<T> parameter_product(kernels, parameters, threads);
    T* const room = scratch<T>(input_product.room() + parameter_product.room());
    parallel(threads, 2 * s.work(), [&](Team& team) {
        if (one_input) {
            run_matvec(one, team);
        } else {
            input_product.run(team, room);
        }
        parameter_product.run(team, room + input_product.room());
        if (grad_bias && team.index == team.count - 1) {
            kernels.column_sums(s.batch, s.out_features, {grad_output, s.out_features, 1}, grad_bias);
        }
    });
}

template void affine_forward(const AffineShape&, const float*, const float*, const float*, float*);
template void affine_forward(const AffineShape&, const double*, const double*, const double*, double*);
template void affine_backward(const AffineShape&, const float*, const float*, const float*, float*, float*,
                              float*);
template void affine_backward(const AffineShape&, const double*, const double*, const double*, double*,
                              double*, double*);

}  // namespace ne_torch
