#include "serving/predictor.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/aligned_buffer.hpp"
#include "core/padded.hpp"
#include "core/partition.hpp"
#include "dispatch/registry.hpp"
#include "functional/batch_major.hpp"
#include "functional/normalization.hpp"
#include "serving/dense.hpp"
#include "threading/thread_pool.hpp"

namespace ne_torch {
namespace {

// As for a training step: below, sharing gains less than the start of a region between awake threads takes.
constexpr double kWorthSharing = 1e6;

// A block's activations, a quarter of a second-level cache of 1 MiB: the weights stream through the rest.
constexpr index_t kBlockBytes = 262144;

// Whether rows at this stride would evict each other.
template <class T>
bool collides(index_t stride) {
    return stride * static_cast<index_t>(sizeof(T)) % 2048 == 0;
}

// Whether a stage takes and gives contiguous rows.
bool turns(StageKind kind) {
    return kind == StageKind::softmax || kind == StageKind::log_softmax || kind == StageKind::layer_norm;
}

template <class T>
PanelArgs<T> dense_args(const FrozenStage<T>& stage, index_t rows, Matrix<const T> x, Matrix<T> y) {
    return {rows,       stage.in_features, stage.out_features,    x, stage.format, stage.panels,
            stage.bias, stage.scale,       stage.activation.kind, y};
}

// Whether this pass of the thread over all weights goes through each layer's panels from the last to the
// first: every other one does. Where weights are larger than the second-level cache, which keeps what was
// read last, a pass in the same order would find nothing there, and this one finds the last panels.
bool goes_back() {
    thread_local bool back = false;
    back = !back;
    return back;
}

}  // namespace

template <class T>
Predictor<T>::Predictor(std::vector<FrozenStage<T>> stages) : stages_(std::move(stages)) {
    if (stages_.empty()) throw std::invalid_argument("Predictor: expected at least one stage, got none");
    index_t width = stages_.front().in_features;
    widest_ = padded<T>(width);
    for (const FrozenStage<T>& stage : stages_) {
        if (stage.in_features != width) {
            throw std::invalid_argument("Predictor: expected a stage of " + std::to_string(width) +
                                        " features, the width of the one before it, got " +
                                        std::to_string(stage.in_features));
        }
        width = stage.out_features;
        widest_ = std::max(widest_, padded<T>(width));
        if (turns(stage.kind)) {
            turned_room_ = std::max({turned_room_, softmax_room(width), layer_norm_room(width)});
        }
        if (stage.kind == StageKind::keep && stage.slot <= kept_.size()) {
            kept_.resize(std::max(kept_.size(), stage.slot + 1));
            kept_[stage.slot] = width;
        } else if (stage.kind == StageKind::keep || stage.kind == StageKind::add_kept) {
            if (stage.slot >= kept_.size() || kept_[stage.slot] != width) {
                throw std::invalid_argument("Predictor: expected a skip connection of one width, got slot " +
                                            std::to_string(stage.slot) + " with " + std::to_string(width) +
                                            " features");
            }
        }
        if (stage.kind == StageKind::tabular_embedding && &stage != &stages_.front()) {
            throw std::invalid_argument("Predictor: expected a tabular_embedding as the first stage alone");
        }
        const auto in = static_cast<double>(stage.in_features), out = static_cast<double>(width);
        if (stage.kind == StageKind::keep && &stage == &stages_.back()) {
            throw std::invalid_argument("Predictor: expected a last stage that gives a result");
        }
        work_per_row_ += stage.kind == StageKind::dense ? in * out : 8 * std::max(in, out);
    }
}

template <class T>
index_t Predictor<T>::stride_after(std::size_t stage) const {
    const index_t width = stages_[stage].out_features;
    std::size_t next = stage + 1;
    while (next < stages_.size() && stages_[next].kind == StageKind::keep) ++next;
    const bool contiguous = turns(stages_[stage].kind) || next >= stages_.size() || turns(stages_[next].kind);
    return contiguous ? width : padded<T>(width);
}

template <class T>
Matrix<T> Predictor<T>::kept(std::size_t slot, index_t rows, const Room& room) const {
    return {room.kept + static_cast<index_t>(slot) * rows * widest_, widest_, 1};
}

template <class T>
void Predictor<T>::run_block(index_t rows, Matrix<const T> x, T* y, const Room& room) const {
    const Kernels<T>& kernels = active_kernels<T>();
    if (rows >= 4 && collides<T>(x.row_stride)) {
        const index_t width = in_features();
        const Matrix<T> copy{room.activations[1], padded<T>(width), 1};
        for (index_t row = 0; row < rows; ++row) {
            std::memcpy(copy.at(row, 0), x.at(row, 0), static_cast<std::size_t>(width) * sizeof(T));
        }
        x = {copy.data, copy.row_stride, 1};
    }
    const bool from_last = goes_back();
    int written = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        const FrozenStage<T>& stage = stages_[i];
        const index_t width = stage.in_features;
        if (stage.kind == StageKind::keep) {
            kernels.activation_forward({}, rows, width, x, kept(stage.slot, rows, room));
            continue;
        }
        const Matrix<T> out{i + 1 == stages_.size() ? y : room.activations[written], stride_after(i), 1};
        written = 1 - written;
        switch (stage.kind) {
            case StageKind::dense: {
                PanelArgs<T> args = dense_args(stage, rows, x, out);
                args.from_last = from_last;
                dense_forward(kernels, args, room.packing);
                break;
            }
            case StageKind::activation:
                kernels.activation_forward(stage.activation, rows, stage.in_features, x, out);
                break;
            case StageKind::softmax:
                softmax_forward(rows, width, x.data, out.data, room.turned);
                break;
            case StageKind::layer_norm:
                layer_norm_forward<T>({stage.eps, stage.weight, stage.bias}, rows, width, x.data, out.data,
                                      room.turned);
                break;
            case StageKind::scale_shift:
                kernels.scale_shift(rows, width, x, stage.scale, stage.bias, out);
                break;
            case StageKind::add_kept: {
                const Matrix<T> before = kept(stage.slot, rows, room);
                kernels.add(rows, width, {before.data, before.row_stride, 1}, x, out);
                break;
            }
            case StageKind::keep:
                break;
            case StageKind::log_softmax:
                log_softmax_forward(rows, width, x.data, out.data, room.turned);
                break;
            case StageKind::tabular_embedding:
                stage.lookup.forward(rows, x, out);
                break;
        }
        x = {out.data, out.row_stride, 1};
    }
}

template <class T>
std::optional<WrongCode<T>> Predictor<T>::run(index_t rows, const T* x, T* y) const {
    thread_local AlignedBuffer<T> buffer;  // so that a call allocates nothing once its shapes have been seen
    const double work = work_per_row_ * static_cast<double>(rows);
    const int threads = work < kWorthSharing ? 1 : num_threads();
    const Kernels<T>& kernels = active_kernels<T>();
    const index_t unit = kernels.tile_rows;
    const index_t in_cache = kBlockBytes / static_cast<index_t>(sizeof(T)) / widest_ / unit * unit;
    const index_t block = std::min(rows, std::max(in_cache, 2 * unit));
    const auto blocks = static_cast<index_t>(2 + kept_.size());
    index_t packing = 0;
    for (const FrozenStage<T>& stage : stages_) {
        if (stage.kind != StageKind::dense) continue;
        packing = std::max(packing, dense_packing(kernels, dense_args<T>(stage, block, {}, {})));
    }
    packing = padded<T>(packing);
    const index_t room_size = blocks * block * widest_ + packing + turned_room_;
    T* const rooms = buffer.reserve(room_size * threads);
    const Lookup<T>& lookup = stages_.front().lookup;
    std::atomic<bool> failed{false};
    parallel(threads, work, [&](Team& team) {
        T* const mine_begin = rooms + team.index * room_size;
        const Room room{{mine_begin, mine_begin + block * widest_},
                        mine_begin + 2 * block * widest_,
                        mine_begin + blocks * block * widest_,
                        mine_begin + blocks * block * widest_ + packing};
        const Range mine = share_range(rows, unit, team.index, team.count);
        if (lookup.takes_codes()) {
            if (!lookup.knows(mine.end - mine.begin, x + mine.begin * in_features())) failed = true;
            team.barrier();
            if (failed) return;
        }
        for (index_t row = mine.begin; row < mine.end; row += block) {
            run_block(std::min(block, mine.end - row), {x + row * in_features(), in_features(), 1},
                      y + row * out_features(), room);
        }
    });
    return failed ? lookup.wrong_code(rows, x) : std::nullopt;
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace ne_torch
