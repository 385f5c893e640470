// A whole training step, forward to update, and whole epochs of them. ISA-neutral, Python-free.
//
//   phase 1  mostly on one's own samples: input turned feature-major, by the first product where it can be,
//            forward, loss, gradients down to the first stage that learns
//   barrier
//   phase 2  on one's own weights: grad_weight with the update in its store, grad_bias and its update
//   barrier  (or the end of the region)
//
// Where gradients are clipped by their norm, phase 2 keeps them, and a third one updates.
//
// A large batch goes through both phases in blocks of samples that stay in the cache; gradients are chains
// over all of them, so that its size costs neither time nor memory nor a bit. Where the net is small, a block
// is one member's alone, and they take turns in phase 2 instead of sharing weights: each takes up the
// gradients where the one before left them, with samples that are in its own cache, and goes on to its next
// block while the others have their turns.
//
// Phase 1 needs no barrier inside where samples are shared. Layers with more weights than the batch has
// values share their rows instead, and so do all where the batch has not enough whole vectors for the team:
// then there is a barrier before and after. Either way every result is the same chain.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "threading/thread_pool.hpp"
#include "threading/turns.hpp"
#include "training/clipping.hpp"
#include "training/code_check.hpp"
#include "training/gather.hpp"
#include "training/penalty.hpp"
#include "training/plan.hpp"
#include "training/schedule.hpp"
#include "training/trial.hpp"
#include "training/workspace.hpp"

namespace ne_torch {

// How far an epoch has come.
struct Progress {
    index_t rows = 0;                     // trained on
    double total_loss = 0;                // sum over batches of loss * rows of the batch
    std::optional<double> total_penalty;  // likewise, where it is wanted: see penalty.hpp
};

template <class T>
class Engine {
  public:
    // Borrows the settings of all parameter groups, as it borrows the plan's parameters; counts the steps in
    // them.
    Engine(Plan<T> plan, std::vector<OptimizerSettings*> groups, const Clipping& clipping = {})
        : plan_(std::move(plan)), groups_(std::move(groups)), clipping_(clipping) {}

    const Plan<T>& plan() const { return plan_; }

    // What a step or a run has ended at, before the step that met it.
    const std::optional<WrongCode<T>>& wrong_code() const { return codes_.found(); }

    // Trains on one batch and returns its loss before the update.
    double step(const Samples<T>& batch, bool penalised = false);

    // Of the parameters before the last step, where it was wanted.
    double penalty() const { return last_penalty_; }

    // Trains on the batches that follow, until the samples are used up or the time is, whichever is earlier,
    // or those of the schedule are, or before a wrong code; on one at least otherwise. Returns how many steps
    // it took. The settings keep the numbers of the first one.
    std::size_t run(const Samples<T>& samples, Progress& progress, index_t batch_size, double seconds,
                    const Ahead& ahead = {});

  private:
    void prepare(index_t rows, bool penalised);  // makes room, for as many threads as are worth it
    // A trial may remember more than there are by now.
    int threads_of_step() const { return trial_.tries() ? std::min(threads_, trial_.threads()) : threads_; }
    // The numbers of the step that follows `step` others, by group, where member `member` keeps them.
    UpdateOptions<T>* options_of(int member, std::size_t step, const Ahead& ahead);
    double divisor(const Samples<T>& samples, index_t first, index_t rows) const;
    bool takes_turns(int members, index_t rows) const;
    void run_in_turns(Team& team, const Samples<T>& samples, index_t first, index_t rows, double divisor,
                      const UpdateOptions<T>* options);
    bool run_together(Team& team, const Samples<T>& samples, index_t first, index_t rows, double divisor,
                      const UpdateOptions<T>* options);  // false where codes are wrong
    void add_up_loss(const Member<T>& me, const Batch<T>& batch);
    double run_step(Team& team, const Samples<T>& samples, index_t first, index_t rows,
                    UpdateOptions<T>* options);
    Ends<T> ends(const Member<T>& me, std::size_t stage, const Batch<T>& batch) const;
    bool forward(Member<T>& me, const Batch<T>& batch);  // false where codes are wrong
    void loss(Member<T>& me, const Batch<T>& batch, double divisor);
    void backward(Member<T>& me, const Batch<T>& batch);
    void update(Member<T>& me, const Batch<T>& batch);

    Plan<T> plan_;
    std::vector<OptimizerSettings*> groups_;
    std::vector<OptimizerSettings> settings_;  // of the call in progress: another thread may change theirs
    std::vector<UpdateOptions<T>> options_;    // (members, groups)
    Clipping clipping_;
    KeptGradients<T> kept_;
    Penalty<T> penalty_;
    CodeCheck<T> codes_;
    Workspace<T> work_;
    const Kernels<T>* kernels_ = nullptr;
    index_t block_rows_ = 0;
    int threads_ = 1;
    Trial trial_;
    Turns turns_;
    double total_loss_ = 0;  // of the step in progress, up to the block in progress
    double last_penalty_ = 0;
};

}  // namespace ne_torch
