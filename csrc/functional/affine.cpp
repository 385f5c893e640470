#include "functional/affine.hpp"

#include "core/aligned_buffer.hpp"
#include "core/partition.hpp"
#include "dispatch/registry.hpp"
#include "threading/thread_pool.hpp"

namespace ne_torch {
namespace {

// Waking a sleeping worker takes some 50 us and a region between awake ones 1 us: below 4 million
// multiply-adds (17 us of a core at 230 GFLOP/s in float32) sharing cannot be trusted to win.
constexpr double kWorthSharing = 4e6;

int team_for(double work) { return work < kWorthSharing ? 1 : num_threads(); }

// Packed panels live as long as the thread, so that a call allocates nothing once its shapes have been seen.
template <class T>
T* scratch(index_t size) {
    thread_local AlignedBuffer<T> buffer;
    return buffer.reserve(size);
}

template <class T>
void run_share(const Kernels<T>& kernels, const GemmArgs<T>& whole, const Team& team) {
    GemmArgs<T> mine = share_gemm(whole, kernels.lanes, team.index, team.count);
    mine.workspace = scratch<T>(kernels.gemm_workspace(mine));
    kernels.gemm(mine);
}

}  // namespace

template <class T>
void affine_forward(const AffineShape& s, const T* x, const T* weight, const T* bias, T* y) {
    const Kernels<T>& kernels = active_kernels<T>();
    GemmArgs<T> g;
    g.m = s.batch;
    g.n = s.out_features;
    g.k = s.in_features;
    g.a = {x, s.in_features, 1};
    g.b = {weight, 1, s.in_features};
    g.c = {y, s.out_features, 1};
    g.epilogue = Epilogue::bias_column;
    g.bias = bias;
    parallel(team_for(s.work()), [&](Team& team) { run_share(kernels, g, team); });
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

    GemmArgs<T> parameters;
    parameters.m = s.out_features;
    parameters.n = s.in_features;
    parameters.k = s.batch;
    parameters.a = {grad_output, 1, s.out_features};
    parameters.b = {x, s.in_features, 1};
    parameters.c = {grad_weight, s.in_features, 1};

    parallel(team_for(2 * s.work()), [&](Team& team) {
        if (grad_input) run_share(kernels, input, team);
        if (grad_weight) run_share(kernels, parameters, team);
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
