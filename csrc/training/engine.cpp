#include "training/engine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "dispatch/registry.hpp"
#include "training/blocks.hpp"

namespace ne_torch {
namespace {

// Two barriers and the start of a region take about a microsecond between threads that are awake; below a
// million multiply-adds, some 10 us of a core in float32, sharing gains less than that. From twenty times as
// many on it gains something everywhere; what is in between is tried.
constexpr double kWorthTrying = 1e6;
constexpr double kWorthSharing = 2e7;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Columns between the blocks of members that take turns. A processor that reads to the end of a row fetches
// the next lines, too, and would take them from whom they belong to; none does so beyond a page.
template <class T>
constexpr index_t kApart = 4096 / static_cast<index_t>(sizeof(T));

}  // namespace

template <class T>
void Engine<T>::prepare(index_t rows, bool penalised) {
    const int threads = num_threads();  // asked once: another thread may change it
    kernels_ = &active_kernels<T>();
    codes_.begin();
    settings_.clear();
    for (const OptimizerSettings* group : groups_) settings_.push_back(*group);
    options_.resize(groups_.size() * static_cast<std::size_t>(threads));
    block_rows_ = rows_of_block(plan_, *kernels_, rows, threads);
    const bool keeps = clipping_.norm > 0;
    const bool blocks = block_rows_ < rows;
    const index_t room = block_rows_ + (takes_turns(threads, rows) ? threads * kApart<T> : 0);
    work_.reserve(plan_, *kernels_, {room, keeps || blocks}, threads);
    if (keeps) kept_.list(plan_);
    penalty_.list(plan_, penalised);
    const double work = plan_.work_per_row() * static_cast<double>(rows);
    threads_ = work < kWorthTrying ? 1 : threads;
    trial_.begin(work < kWorthSharing ? threads_ : 1, rows);
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
Ends<T> Engine<T>::ends(const Member<T>& me, std::size_t stage, const Batch<T>& batch) const {
    Ends<T> ends{me.of_block(work_.activation(stage)),
                 me.of_block(work_.activation(stage + 1)),
                 me.of_block(work_.gradient(stage)),
                 me.of_block(work_.gradient(stage + 1)),
                 {}};
    if (stage == 0) ends.samples = batch.input;
    return ends;
}

template <class T>
bool Engine<T>::forward(Member<T>& me, const Batch<T>& batch) {
    const Matrix<T> input = me.of_block(work_.activation(0));
    if (!plan_.stage(0).reads_samples()) {
        kernels_->transpose(me.width(), plan_.in_features(), me.my_rows(batch.input), me.mine(input));
    }
    if (!codes_.passes(me, plan_.stage(0), input)) return false;
    for (std::size_t i = 0; i < plan_.size(); ++i) plan_.stage(i).run_forward(me, ends(me, i, batch));
    return true;
}

// The loss of my samples, and the gradient with respect to the network's output.
template <class T>
void Engine<T>::loss(Member<T>& me, const Batch<T>& batch, double divisor) {
    me.begin(Share::samples);
    const std::size_t last = plan_.size();
    const LossRoom<T> room{me.of_block(work_.activation(last)), me.of_block(work_.target()),
                           me.of_block(work_.gradient(last)), me.of_block(work_.loss())};
    loss_of_my_samples(plan_.loss(), me, plan_.out_features(), batch.targets, divisor, room);
}

template <class T>
void Engine<T>::backward(Member<T>& me, const Batch<T>& batch) {
    for (std::size_t i = plan_.size(); i-- > plan_.first_learning();) {
        plan_.stage(i).run_backward(me, ends(me, i, batch));
    }
}

template <class T>
void Engine<T>::update(Member<T>& me, const Batch<T>& batch) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        plan_.stage(i).update(me, ends(me, i, batch));
    }
}

// The losses of a member's block.
template <class T>
void Engine<T>::add_up_loss(const Member<T>& me, const Batch<T>& batch) {
    const double before = me.block.first() ? 0 : total_loss_;
    total_loss_ = take_up(before, me.block.rows, me.of_block(work_.loss()), batch.targets.sample_weight);
}

// All blocks of a batch, each shared by all members.
template <class T>
bool Engine<T>::run_together(Team& team, const Samples<T>& samples, index_t first, index_t rows,
                             double divisor, const UpdateOptions<T>* options) {
    for (index_t begin = 0; begin < rows; begin += block_rows_) {
        const index_t count = std::min(block_rows_, rows - begin);
        const Range mine = share_range(count, kernels_->lanes, team.index, team.count);
        const Batch<T> batch = gather(*kernels_, samples, first + begin, count, mine, work_.gathered());
        Member<T> me(team, *kernels_, {begin, count, rows}, work_.packing(team.index), options);
        if (!forward(me, batch)) return false;
        loss(me, batch, divisor);
        backward(me, batch);
        team.barrier();
        if (team.index == 0) add_up_loss(me, batch);
        update(me, batch);
        if (!me.block.last()) team.barrier();
    }
    return true;
}

// Gradients that go round are a small part of what goes through the cache; the turns of three are no longer
// than all else that one of them does; and the first turn of a batch, for which the others wait, is one of
// many.
template <class T>
bool Engine<T>::takes_turns(int members, index_t rows) const {
    constexpr double small = 3 * 8192;  // multiply-adds for a sample: weights of 32 KiB in float32
    return members > 1 && members <= 3 && rows > 3 * block_rows_ && plan_.work_per_row() <= small &&
           !plan_.stage(0).takes_codes();  // a member that meets a wrong one would have to stop the others
}

// All blocks of a batch, each of one member alone: phase 2 is its turn.
template <class T>
void Engine<T>::run_in_turns(Team& team, const Samples<T>& samples, index_t first, index_t rows,
                             double divisor, const UpdateOptions<T>* options) {
    Team myself(0, 1, nullptr, nullptr);
    const index_t own = block_rows_ / team.count;
    const index_t column = team.index * (own + kApart<T>);
    for (index_t round = 0; round < rows; round += own * team.count) {
        const index_t begin = std::min(rows, round + team.index * own);
        const index_t count = std::min(own, rows - begin);
        const Batch<T> batch =
            gather(*kernels_, samples, first + begin, count, {0, count}, work_.gathered().below(column));
        Member<T> me(myself, *kernels_, {begin, count, rows}, work_.packing(team.index), options, column);
        if (count > 0) {
            forward(me, batch);
            loss(me, batch, divisor);
            backward(me, batch);
        }
        turns_.take(team, [&] {
            if (count == 0) return;
            add_up_loss(me, batch);
            update(me, batch);
        });
    }
    team.barrier();
}

// One step on `rows` samples from `first` on. The loss is returned to member 0; the others get 0.
template <class T>
double Engine<T>::run_step(Team& team, const Samples<T>& samples, index_t first, index_t rows,
                           UpdateOptions<T>* options) {
    const double divisor = this->divisor(samples, first, rows);
    const bool keeps = clipping_.norm > 0;
    const UpdateOptions<T>* const at_once = keeps ? nullptr : options;
    penalty_.square(team, *kernels_, options);
    if (takes_turns(team.count, rows)) {
        run_in_turns(team, samples, first, rows, divisor, at_once);
    } else if (!run_together(team, samples, first, rows, divisor, at_once)) {
        return 0;
    }
    const double total = team.index == 0 ? total_loss_ : 0;
    if (team.index == 0) last_penalty_ = penalty_.value(options);
    if (keeps) {
        team.barrier();
        kept_.clip_and_update(team, *kernels_, clipping_.norm, options, groups_.size());
    }
    return total / divisor;
}

// What the loss of a batch is divided by: every member counts for itself.
template <class T>
double Engine<T>::divisor(const Samples<T>& samples, index_t first, index_t rows) const {
    const std::int64_t* const order = samples.order ? samples.order + first : nullptr;
    const Targets<T> targets = samples.targets.below(order ? 0 : first);
    return loss_divisor(plan_.loss(), rows, plan_.out_features(), targets.indices, targets.sample_weight,
                        order);
}

template <class T>
double Engine<T>::step(const Samples<T>& batch, bool penalised) {
    prepare(batch.count, penalised);
    const bool tried = trial_.undecided();
    const auto begin = tried ? Clock::now() : Clock::time_point{};
    double value = 0;
    int taken_by = 1;
    parallel(threads_of_step(), plan_.work_per_row() * static_cast<double>(batch.count), [&](Team& team) {
        const double mine = run_step(team, batch, 0, batch.count, options_of(team.index, 0, {}));
        if (team.index > 0) return;
        value = mine;
        taken_by = team.count;
    });
    if (codes_.failed()) return 0;
    if (tried) trial_.record(taken_by, batch.count, seconds_since(begin));
    trial_.follow(1);
    for (OptimizerSettings* group : groups_) ++group->steps;
    return value;
}

template <class T>
std::size_t Engine<T>::run(const Samples<T>& samples, Progress& progress, index_t batch_size, double seconds,
                           const Ahead& ahead) {
    const bool penalised = progress.total_penalty.has_value();
    prepare(std::min(batch_size, samples.count), penalised);
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    std::size_t taken = 0;
    bool finished = false;
    constexpr double long_enough = 1e12;  // an epoch is worth waking every worker
    while (!finished && !codes_.failed()) {
        const index_t first = progress.rows;
        const std::size_t begun = taken, most = trial_.steps();
        bool pause = false;  // written by member 0 between two barriers
        parallel(threads_of_step(), long_enough, [&](Team& team) {
            auto since = Clock::now();
            std::size_t step = begun;
            for (index_t row = first; !pause; row += batch_size, ++step) {
                const index_t rows = std::min(batch_size, samples.count - row);
                const double value = run_step(team, samples, row, rows, options_of(team.index, step, ahead));
                if (codes_.failed()) break;
                if (team.index == 0) {
                    progress.total_loss += value * static_cast<double>(rows);
                    if (penalised) *progress.total_penalty += last_penalty_ * static_cast<double>(rows);
                    progress.rows = row + rows;
                    taken = step + 1;
                    const auto now = Clock::now();
                    trial_.record(team.count, rows, std::chrono::duration<double>(now - since).count());
                    since = now;
                    finished = progress.rows >= samples.count || !ahead.allows(step + 2) || now >= deadline;
                    pause = finished || taken - begun >= most;
                }
                team.barrier();
            }
        });
        trial_.follow(taken - begun);
    }
    for (OptimizerSettings* group : groups_) group->steps += static_cast<std::int64_t>(taken);
    return taken;
}

template class Engine<float>;
template class Engine<double>;

}  // namespace ne_torch
