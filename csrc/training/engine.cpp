#include "training/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "dispatch/registry.hpp"
#include "training/products.hpp"

namespace ne_torch {
namespace {

// Two barriers and the start of a region take about a microsecond between threads that are awake; below a
// million multiply-adds (4 us of a core at 230 GFLOP/s... in float32) sharing gains less than that.
constexpr double kWorthSharing = 1e6;

}  // namespace

// One member's view of a step: what it computes, and when it has to wait.
template <class T>
struct Engine<T>::Member {
    Member(Team& members, const Kernels<T>& kernels, index_t rows, T* room)
        : team(members),
          packing(room),
          batch(rows),
          columns(share_range(rows, kernels.lanes, members.index, members.count)) {
        const index_t vectors = (rows + kernels.lanes - 1) / kernels.lanes;
        const index_t largest = (vectors + team.count - 1) / team.count;
        by_samples = 5 * vectors >= 4 * largest * team.count;
    }

    index_t width() const { return columns.end - columns.begin; }

    // In phase 1, before others' samples are read.
    void sync() {
        if (!by_samples) team.barrier();
    }

    GemmArgs<T> share(const GemmArgs<T>& g) const {
        GemmArgs<T> mine =
            by_samples ? gemm_columns(g, columns) : gemm_rows(g, share_range(g.m, 1, team.index, team.count));
        mine.workspace = packing;
        return mine;
    }

    Team& team;
    T* packing;
    index_t batch;
    Range columns;    // the samples of mine
    bool by_samples;  // shares are samples; otherwise rows of each product, with barriers
};

template <class T>
int Engine<T>::prepare(index_t rows) {
    const int threads = num_threads();  // asked once: another thread may change it
    kernels_ = &active_kernels<T>();
    work_.reserve(plan_, *kernels_, rows, threads);
    return plan_.work_per_row() * static_cast<double>(rows) < kWorthSharing ? 1 : threads;
}

template <class T>
void Engine<T>::forward(Member& me, const Batch<T>& batch) {
    const auto& stages = plan_.stages();
    const index_t begin = me.columns.begin;
    kernels_->transpose(me.width(), plan_.in_features(),
                        {batch.input.at(begin, 0), batch.input.row_stride, 1},
                        {work_.activation(0).at(0, begin), work_.activation(0).row_stride, 1});
    me.sync();
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const Stage<T>& stage = stages[i];
        const Matrix<T> in = work_.activation(i);
        const Matrix<T> out = work_.activation(i + 1);
        const Matrix<const T> mine_in{in.at(0, begin), in.row_stride, 1};
        const Matrix<T> mine_out{out.at(0, begin), out.row_stride, 1};
        switch (stage.kind) {
            case StageKind::dense:
                if (i > 0) {
                    const Matrix<T> copy = work_.batch_major(i);
                    kernels_->transpose(stage.in_features, me.width(), mine_in,
                                        {copy.at(begin, 0), copy.row_stride, 1});
                }
                kernels_->gemm(me.share(forward_product(stage, me.batch, in, out)));
                break;
            case StageKind::activation:
                kernels_->activation_forward(stage.activation, stage.in_features, me.width(), mine_in,
                                             mine_out);
                break;
            case StageKind::softmax:
                kernels_->softmax_forward(stage.in_features, me.width(), mine_in, mine_out);
                break;
        }
        me.sync();
    }
}

// The loss of my samples, and the gradient with respect to the network's output.
template <class T>
void Engine<T>::loss(Member& me, const Batch<T>& batch) {
    const std::size_t last = plan_.stages().size();
    const index_t begin = me.columns.begin;
    const index_t classes = plan_.out_features();
    const index_t stride = work_.target().row_stride;
    T* const target = work_.target().at(0, begin);
    kernels_->transpose(me.width(), classes, {batch.target.at(begin, 0), batch.target.row_stride, 1},
                        {target, stride, 1});
    const Matrix<const T> prediction{work_.activation(last).at(0, begin), stride, 1};
    const Matrix<const T> expected{target, stride, 1};
    const auto elements = static_cast<double>(classes * me.batch);
    kernels_->loss_forward(plan_.loss(), classes, me.width(), prediction, expected, work_.loss() + begin);
    kernels_->loss_backward(plan_.loss(), classes, me.width(), static_cast<T>(1.0 / elements), prediction,
                            expected, {work_.gradient(last).at(0, begin), stride, 1});
}

// Gradients with respect to the output of every stage, before its activation where that is fused.
template <class T>
void Engine<T>::backward(Member& me) {
    const auto& stages = plan_.stages();
    const index_t begin = me.columns.begin;
    const auto mine = [&](Matrix<T> m) { return Matrix<T>{m.at(0, begin), m.row_stride, 1}; };
    for (std::size_t i = stages.size(); i-- > plan_.first_dense();) {
        const Stage<T>& stage = stages[i];
        const Matrix<T> grad_output = work_.gradient(i + 1);
        if (stage.kind == StageKind::dense && stage.activation == Activation::relu) {
            const bool gated = i + 1 < stages.size() && stages[i + 1].kind == StageKind::dense;
            if (!gated) {
                kernels_->activation_backward(stage.activation, stage.out_features, me.width(),
                                              read(mine(grad_output)), read(mine(work_.activation(i + 1))),
                                              mine(grad_output));
                me.sync();
            }
        }
        if (i == plan_.first_dense()) break;
        const Matrix<T> grad_input = work_.gradient(i);
        switch (stage.kind) {
            case StageKind::dense: {
                GemmArgs<T> g = grad_input_product(stage, me.batch, grad_output, grad_input);
                if (stages[i - 1].kind == StageKind::dense && stages[i - 1].activation == Activation::relu) {
                    g.epilogue = Epilogue::gate;
                    g.gate = read(work_.activation(i));
                }
                kernels_->gemm(me.share(g));
                break;
            }
            case StageKind::activation:
                kernels_->activation_backward(stage.activation, stage.in_features, me.width(),
                                              read(mine(grad_output)), read(mine(work_.activation(i))),
                                              mine(grad_input));
                break;
            case StageKind::softmax:
                kernels_->softmax_backward(stage.in_features, me.width(), read(mine(grad_output)),
                                           read(mine(work_.activation(i + 1))), mine(grad_input));
                break;
        }
        me.sync();
    }
}

template <class T>
void Engine<T>::update(Member& me, const Batch<T>& batch, const UpdateOptions<T>& options) {
    const auto& stages = plan_.stages();
    for (std::size_t i = plan_.first_dense(); i < stages.size(); ++i) {
        const Stage<T>& stage = stages[i];
        if (stage.kind != StageKind::dense) continue;
        const Matrix<const T> input = i == 0 ? batch.input : read(work_.batch_major(i));
        GemmArgs<T> g = share_gemm(update_product(stage, me.batch, work_.gradient(i + 1), input, options),
                                   kernels_->lanes, me.team.index, me.team.count);
        g.workspace = me.packing;
        kernels_->gemm(g);
        if (!stage.bias) continue;
        const Range rows = share_range(stage.out_features, kernels_->lanes, me.team.index, me.team.count);
        const index_t count = rows.end - rows.begin;
        const Matrix<T> grad = work_.gradient(i + 1);
        T* const grad_bias = work_.grad_bias(i) + rows.begin;
        States<T> states = stage.bias_states;
        for (T*& state : states) {
            if (state) state += rows.begin;
        }
        kernels_->row_sums(count, me.batch, {grad.at(rows.begin, 0), grad.row_stride, 1}, grad_bias);
        kernels_->update(options, 1, count, {grad_bias}, {stage.bias + rows.begin}, states.data());
    }
}

// The loss is returned to member 0; the others get 0.
template <class T>
double Engine<T>::run_step(Team& team, const Batch<T>& batch, const UpdateOptions<T>& options) {
    Member me(team, *kernels_, batch.rows, work_.packing(team.index));
    forward(me, batch);
    loss(me, batch);
    me.sync();
    backward(me);
    team.barrier();
    double value = 0;
    if (team.index == 0) {
        for (index_t row = 0; row < batch.rows; ++row) value += work_.loss()[row];
        value /= static_cast<double>(batch.rows * plan_.out_features());
    }
    update(me, batch, options);
    return value;
}

template <class T>
double Engine<T>::step(const Batch<T>& batch) {
    const int threads = prepare(batch.rows);
    const UpdateOptions<T> options = settings_.at_step<T>(settings_.steps + 1);
    double value = 0;
    parallel(threads, plan_.work_per_row() * static_cast<double>(batch.rows), [&](Team& team) {
        const double mine = run_step(team, batch, options);
        if (team.index == 0) value = mine;
    });
    ++settings_.steps;
    return value;
}

// Every member copies the samples that it will turn, so that no barrier is needed in between.
template <class T>
Batch<T> Engine<T>::gather(const Samples<T>& samples, index_t first, index_t rows, const Team& team) const {
    const index_t in = plan_.in_features();
    const index_t out = plan_.out_features();
    if (!samples.order) {
        return {rows, {samples.input + first * in, in, 1}, {samples.target + first * out, out, 1}};
    }
    const Matrix<T> input = work_.gathered_input();
    const Matrix<T> target = work_.gathered_target();
    const Range mine = share_range(rows, kernels_->lanes, team.index, team.count);
    for (index_t row = mine.begin; row < mine.end; ++row) {
        const index_t sample = samples.order[first + row];
        std::memcpy(input.at(row, 0), samples.input + sample * in, static_cast<std::size_t>(in) * sizeof(T));
        std::memcpy(target.at(row, 0), samples.target + sample * out,
                    static_cast<std::size_t>(out) * sizeof(T));
    }
    return {rows, read(input), read(target)};
}

template <class T>
EpochPart Engine<T>::run(const Samples<T>& samples, index_t first, index_t batch_size, double seconds,
                         double total_loss) {
    using Clock = std::chrono::steady_clock;
    const int threads = prepare(std::min(batch_size, samples.count));
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    index_t next = first;  // the first sample not trained on; written by member 0 between two barriers
    bool finished = false;
    const OptimizerSettings settings = settings_;  // another thread may change them
    constexpr double long_enough = 1e12;           // an epoch is worth waking every worker
    parallel(threads, long_enough, [&](Team& team) {
        std::int64_t step = settings.steps;
        for (index_t row = first; !finished; row += batch_size) {
            const index_t rows = std::min(batch_size, samples.count - row);
            const double value =
                run_step(team, gather(samples, row, rows, team), settings.at_step<T>(++step));
            if (team.index == 0) {
                total_loss += value * static_cast<double>(rows);
                next = row + rows;
                finished = next >= samples.count || Clock::now() >= deadline;
            }
            team.barrier();
        }
    });
    settings_.steps += (next - first + batch_size - 1) / batch_size;
    return {next - first, total_loss};
}

template class Engine<float>;
template class Engine<double>;

}  // namespace ne_torch
