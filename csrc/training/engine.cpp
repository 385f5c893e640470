#include "training/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "dispatch/registry.hpp"

namespace ne_torch {
namespace {

// Two barriers and the start of a region take about a microsecond between threads that are awake; below a
// million multiply-adds (4 us of a core at 230 GFLOP/s... in float32) sharing gains less than that.
constexpr double kWorthSharing = 1e6;

// What a member's samples of a block may occupy: half of a second-level cache of 512 KiB. A block has no
// fewer samples than pay for taking up the gradients of all weights once more, two memory accesses a weight.
constexpr index_t kBlockBytes = 262144;
constexpr index_t kFewestRows = 256;

// Samples of a block: even shares of the batch, in whole tiles for every member.
template <class T>
index_t rows_of_block(const Plan<T>& plan, const Kernels<T>& kernels, index_t rows, int threads) {
    const index_t bytes = plan.room_per_row() * static_cast<index_t>(sizeof(T));
    const index_t most = std::max(kFewestRows, kBlockBytes / bytes * threads);
    if (rows <= 2 * most || plan.mixes_samples()) return rows;
    const index_t blocks = (rows + most - 1) / most;
    return round_up((rows + blocks - 1) / blocks, index_t{kernels.tile_cols} * threads);
}

// The rows from `begin` on.
template <class T>
Matrix<const T> below(Matrix<const T> m, index_t begin) {
    return {m.at(begin, 0), m.row_stride, m.col_stride};
}

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
int Engine<T>::prepare(index_t rows) {
    const int threads = num_threads();  // asked once: another thread may change it
    kernels_ = &active_kernels<T>();
    settings_.clear();
    for (const OptimizerSettings* group : groups_) settings_.push_back(*group);
    options_.resize(groups_.size() * static_cast<std::size_t>(threads));
    block_rows_ = rows_of_block(plan_, *kernels_, rows, threads);
    const bool keeps = clipping_.norm > 0;
    work_.reserve(plan_, *kernels_, {block_rows_, keeps || block_rows_ < rows}, threads);
    if (keeps) kept_.list(plan_);
    return plan_.work_per_row() * static_cast<double>(rows) < kWorthSharing ? 1 : threads;
}

template <class T>
UpdateOptions<T>* Engine<T>::options_of(int member, std::size_t step, const Ahead& ahead) {
    UpdateOptions<T>* const options = options_.data() + static_cast<std::size_t>(member) * groups_.size();
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        OptimizerSettings settings = settings_[group];
        ahead.apply(step, group, settings);
        options[group] = settings.at_step<T>(settings.steps + 1 + static_cast<std::int64_t>(step));
        options[group].gradient_limit = static_cast<T>(clipping_.value);
    }
    return options;
}

template <class T>
Ends<T> Engine<T>::ends(std::size_t stage, const Batch<T>& batch) const {
    Ends<T> ends{work_.activation(stage),
                 work_.activation(stage + 1),
                 work_.gradient(stage),
                 work_.gradient(stage + 1),
                 {}};
    if (stage == 0) ends.samples = batch.input;
    return ends;
}

template <class T>
void Engine<T>::forward(Member<T>& me, const Batch<T>& batch) {
    kernels_->transpose(me.width(), plan_.in_features(), me.my_rows(batch.input),
                        me.mine(work_.activation(0)));
    me.sync();
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        plan_.stage(i).forward(me, ends(i, batch));
        me.sync();
    }
}

// The loss of my samples, and the gradient with respect to the network's output.
template <class T>
void Engine<T>::loss(Member<T>& me, const Batch<T>& batch, double divisor) {
    const std::size_t last = plan_.size();
    const LossRoom<T> room{work_.activation(last), work_.target(), work_.gradient(last), work_.loss()};
    loss_of_my_samples(plan_.loss(), me, plan_.out_features(), batch.targets, divisor, room);
}

template <class T>
void Engine<T>::backward(Member<T>& me, const Batch<T>& batch) {
    for (std::size_t i = plan_.size(); i-- > plan_.first_learning();) {
        plan_.stage(i).backward(me, ends(i, batch));
        me.sync();
    }
}

template <class T>
void Engine<T>::update(Member<T>& me, const Batch<T>& batch) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        plan_.stage(i).update(me, ends(i, batch));
    }
}

// block_of(begin, rows) gives a block of the batch, divisor is that of its loss. The loss is returned to
// member 0; the others get 0.
template <class T>
template <class BlockOf>
double Engine<T>::run_step(Team& team, index_t rows, double divisor, BlockOf block_of,
                           UpdateOptions<T>* options) {
    const bool keeps = clipping_.norm > 0;
    double total = 0;
    for (index_t begin = 0; begin < rows; begin += block_rows_) {
        const Batch<T> batch = block_of(begin, std::min(block_rows_, rows - begin));
        Member<T> me(team, *kernels_, {begin, batch.rows, rows}, work_.packing(team.index),
                     keeps ? nullptr : options);
        forward(me, batch);
        loss(me, batch, divisor);
        me.sync();
        backward(me, batch);
        team.barrier();
        if (team.index == 0) {
            total = take_up(total, batch.rows, work_.loss(), batch.targets.sample_weight);
        }
        update(me, batch);
        if (keeps || !me.block.last()) team.barrier();
    }
    if (keeps) kept_.clip_and_update(team, *kernels_, clipping_.norm, options, groups_.size());
    return total / divisor;
}

template <class T>
double Engine<T>::step(const Batch<T>& batch) {
    const int threads = prepare(batch.rows);
    const double divisor = this->divisor(batch.targets, batch.rows, nullptr);
    double value = 0;
    parallel(threads, plan_.work_per_row() * static_cast<double>(batch.rows), [&](Team& team) {
        const auto part = [&](index_t begin, index_t rows) -> Batch<T> {
            return {rows, below(batch.input, begin), batch.targets.below(begin)};
        };
        const double mine = run_step(team, batch.rows, divisor, part, options_of(team.index, 0, {}));
        if (team.index == 0) value = mine;
    });
    for (OptimizerSettings* group : groups_) ++group->steps;
    return value;
}

// Every member copies the samples that it will turn, so that no barrier is needed in between.
template <class T>
Batch<T> Engine<T>::gather(const Samples<T>& samples, index_t first, index_t rows, const Team& team) const {
    const index_t in = plan_.in_features(), out = plan_.out_features();
    const Targets<T>& all = samples.targets;
    if (!samples.order) return {rows, {samples.input + first * in, in, 1}, all.below(first)};
    const std::int64_t* const order = samples.order + first;
    const Range mine = share_range(rows, kernels_->lanes, team.index, team.count);
    copy_rows(samples.input, in, order, mine, work_.gathered_input().data);
    copy_rows(all.dense.data, out, order, mine, work_.gathered_target().data);
    copy_rows(all.indices, 1, order, mine, work_.gathered_indices());
    copy_rows(all.sample_weight, 1, order, mine, work_.gathered_sample_weight());
    return {rows,
            read(work_.gathered_input()),
            {read(work_.gathered_target()), all.indices ? work_.gathered_indices() : nullptr,
             all.sample_weight ? work_.gathered_sample_weight() : nullptr}};
}

// What the loss of a batch is divided by: every member counts for itself.
template <class T>
double Engine<T>::divisor(const Targets<T>& targets, index_t rows, const std::int64_t* order) const {
    return loss_divisor(plan_.loss(), rows, plan_.out_features(), targets.indices, targets.sample_weight,
                        order);
}

template <class T>
EpochPart Engine<T>::run(const Samples<T>& samples, index_t first, index_t batch_size, double seconds,
                         double total_loss, const Ahead& ahead) {
    using Clock = std::chrono::steady_clock;
    const int threads = prepare(std::min(batch_size, samples.count));
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    index_t next = first;  // the first sample not trained on; written by member 0 between two barriers
    bool finished = false;
    constexpr double long_enough = 1e12;  // an epoch is worth waking every worker
    parallel(threads, long_enough, [&](Team& team) {
        std::size_t step = 0;
        for (index_t row = first; !finished; row += batch_size, ++step) {
            const index_t rows = std::min(batch_size, samples.count - row);
            const auto part = [&](index_t begin, index_t count) {
                return gather(samples, row + begin, count, team);
            };
            const double divisor = samples.order ? this->divisor(samples.targets, rows, samples.order + row)
                                                 : this->divisor(samples.targets.below(row), rows, nullptr);
            const double value = run_step(team, rows, divisor, part, options_of(team.index, step, ahead));
            if (team.index == 0) {
                total_loss += value * static_cast<double>(rows);
                next = row + rows;
                finished = next >= samples.count || !ahead.allows(step + 2) || Clock::now() >= deadline;
            }
            team.barrier();
        }
    });
    const index_t steps = (next - first + batch_size - 1) / batch_size;
    for (OptimizerSettings* group : groups_) group->steps += steps;
    return {next - first, static_cast<std::size_t>(steps), total_loss};
}

template class Engine<float>;
template class Engine<double>;

}  // namespace ne_torch
