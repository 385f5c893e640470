// Compares every kernel table of this build and machine with the scalar one, bit for bit:
//
//   tables CASES        so many random cases for each operation and dtype
//
// Shapes and values are those of random_case.hpp. Any NaN equals any NaN. Stops at the first difference with
// its operation, dtype and case.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dispatch/registry.hpp"
#include "random_case.hpp"

namespace {

using namespace ne_torch;

template <class U>
bool same(const std::vector<U>& a, const std::vector<U>& b) {
    using Bits = std::conditional_t<sizeof(U) == 4, std::uint32_t, std::uint64_t>;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const bool nan = std::isnan(a[i]) && std::isnan(b[i]);
        if (!nan && std::bit_cast<Bits>(a[i]) != std::bit_cast<Bits>(b[i])) return false;
    }
    return true;
}

template <class T>
struct Results {
    std::vector<T> values;
    std::vector<double> losses;
};

// One case of an operation: the same random numbers for every table.
template <class T>
using Operation = Results<T> (*)(const Kernels<T>&, Random);

// Any optimizer, and states for it: none negative, as no second moment is.
template <class T>
struct RandomUpdate {
    RandomUpdate(Random& random, index_t n) {
        const auto chance = [&](T value) { return random.below(2) ? value : T(0); };
        options.kind = kOptimizers[random.below(std::size(kOptimizers))].value;
        options.lr = T(0.1), options.weight_decay = chance(T(0.01)), options.momentum = chance(T(0.9));
        options.intake = random.below(2) ? T(1) : T(0.7);
        options.shrink = random.below(2) ? T(1) : T(0.999), options.first_share = T(0.1);
        options.second_kept = T(0.99), options.second_share = T(0.01), options.root_scale = T(1.5);
        options.eps = T(1e-8), options.largest = random.below(2) == 1,
        options.centered = random.below(2) == 1;
        options.nesterov = random.below(2) == 1, options.maximize = random.below(4) == 0;
        for (int i = 0; i < kMaxStates; ++i) {
            states[i] = random.values<T>(n);
            for (T& value : states[i]) value = std::abs(value);
            pointers[i] = states[i].data();
        }
    }
    void append_to(std::vector<T>& values) const {
        for (const auto& state : states) values.insert(values.end(), state.begin(), state.end());
    }
    UpdateOptions<T> options;
    std::vector<T> states[kMaxStates];
    T* pointers[kMaxStates];
};

template <class T>
Results<T> gemm(const Kernels<T>& kernels, Random random) {
    GemmArgs<T> g;
    g.m = random.size(), g.n = random.size(), g.k = random.below(20) == 0 ? 1100 : random.size();
    if (random.below(20) == 0) g.m = 1100, g.k = random.below(6);  // short chains, and an A that is not small
    if (random.below(500) == 0) g.m = 480, g.n += 128, g.k = 290;  // an A of more than half a MiB
    const auto a = random.values<T>(g.m * g.k), b = random.values<T>(g.k * g.n);
    const auto bias = random.values<T>(std::max(g.m, g.n));
    const auto gate = random.values<T>(g.m * g.n);
    auto c = random.values<T>(g.m * g.n);
    const RandomUpdate<T> update(random, g.m * g.n);
    g.a = random.below(2) ? Matrix<const T>{a.data(), g.k, 1} : Matrix<const T>{a.data(), 1, g.m};
    g.b = random.below(2) ? Matrix<const T>{b.data(), g.n, 1} : Matrix<const T>{b.data(), 1, g.k};
    g.c = {c.data(), g.n, 1};
    if (random.below(3) == 0) g.initial = {gate.data(), g.n, 1};
    g.epilogue = static_cast<Epilogue>(random.below(5));
    g.activation = static_cast<Activation>(random.below(2));
    g.bias = random.below(4) ? bias.data() : nullptr;
    g.gate = {gate.data(), g.n, 1};
    g.update = &update.options;
    std::copy(std::begin(update.pointers), std::end(update.pointers), g.state);
    std::vector<T> room(static_cast<std::size_t>(kernels.gemm_workspace(g)) + 16);
    g.workspace = room.data();
    kernels.gemm(g);
    update.append_to(c);
    return {c, {}};
}

template <class T>
Results<T> sums(const Kernels<T>& kernels, Random random) {
    const index_t rows = random.size(), cols = random.size();
    const index_t count = 1 + random.below(4);
    const auto values = random.values<T>(rows * cols + rows + count),
               vectors = random.values<T>(count * cols);
    const Matrix<const T> matrix{values.data(), cols, 1};
    std::vector<T> result(static_cast<std::size_t>((1 + count) * rows + cols + rows * cols));
    kernels.row_sums(rows, cols, matrix, false, result.data());
    kernels.row_sums(rows, cols, matrix, true, result.data());  // twice the sums, one after the other
    std::vector<double> squares(static_cast<std::size_t>(rows));
    kernels.row_square_sums(rows, cols, matrix, squares.data());
    kernels.column_sums(rows, cols, matrix, result.data() + rows);
    const bool of_row = random.below(2) == 0;
    for (index_t v = 0; v < count; v += kernels.few_vectors) {
        T* const y = result.data() + rows + cols + v * rows;
        const index_t few = std::min<index_t>(kernels.few_vectors, count - v);
        kernels.matvec({rows,
                        cols,
                        few,
                        matrix,
                        {vectors.data() + v * cols, cols, 1},
                        values.data() + (of_row ? 0 : v),
                        of_row,
                        {y, rows, 1}});
    }
    kernels.transpose(rows, cols, matrix, {result.data() + (1 + count) * rows + cols, rows, 1});
    return {result, squares};
}

template <class T>
Results<T> panels(const Kernels<T>& kernels, Random random) {
    PanelArgs<T> g;
    g.rows = random.size(), g.in_features = random.size() + 1;
    g.out_features = random.below(8) == 0 ? 129 + random.size() : random.size() + 1;
    const index_t size = panels_size<T>(g.in_features, g.out_features), outputs = g.rows * g.out_features;
    const auto x = random.values<T>(g.rows * g.in_features), weights = random.values<T>(size);
    const auto bias = random.values<T>(g.out_features), scale = random.values<T>(g.out_features);
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(size));
    for (auto& half : halves) half = static_cast<std::uint16_t>(random.bits());
    std::vector<T> y(static_cast<std::size_t>(outputs));
    g.x = {x.data(), g.in_features, 1};
    g.y = {y.data(), g.out_features, 1};
    g.format = static_cast<WeightFormat>(sizeof(T) == 4 ? random.below(3) : 0);
    g.panels = halves.data();  // as 8-bit integers, the first half of them
    if (g.format == WeightFormat::same) g.panels = weights.data();
    g.bias = random.below(4) ? bias.data() : nullptr;
    g.scale = random.below(2) ? scale.data() : nullptr;
    g.activation = static_cast<Activation>(random.below(2));
    kernels.panel_forward(g);
    return {y, {}};
}

template <class T>
Results<T> element_wise(const Kernels<T>& kernels, Random random) {
    const index_t rows = random.size(), cols = random.size(), n = rows * cols;
    const auto x = random.values<T>(n), grad = random.values<T>(n);
    auto y = random.values<T>(2 * n);
    const RandomUpdate<T> update(random, n);
    const Matrix<const T> input{x.data(), cols, 1}, grad_output{grad.data(), cols, 1};
    std::vector<T> results;
    for (const auto& activation : kActivations) {
        const ActivationOptions<T> options{activation.value, T(0.7), T(2.5)};
        const auto take = [&] { results.insert(results.end(), y.begin(), y.end()); };
        kernels.activation_forward(options, rows, cols, input, {y.data(), cols, 1});
        kernels.activation_backward(options, rows, cols, grad_output, input, {y.data() + n, cols, 1});
        take();
        kernels.activation_backward_saved(options, rows, cols, grad_output, input, {y.data(), cols, 1});
        take();
    }
    kernels.update(update.options, 1, n, {grad.data()}, {y.data()}, update.pointers);
    update.append_to(y);
    results.insert(results.end(), y.begin(), y.end());
    return {results, {}};
}

template <class T>
Results<T> class_wise(const Kernels<T>& kernels, Random random) {
    const index_t classes = random.size() + 1, count = random.size(), n = classes * count;
    const auto x = random.values<T>(n), other = random.values<T>(n);
    constexpr auto kinds = static_cast<index_t>(std::size(kLosses));
    std::vector<T> result(static_cast<std::size_t>((4 + kinds) * n));
    std::vector<double> losses(static_cast<std::size_t>(kinds * count));
    const Matrix<const T> input{x.data(), count, 1}, grad{other.data(), count, 1};
    kernels.softmax_forward(classes, count, input, {result.data(), count, 1});
    kernels.softmax_backward(classes, count, grad, {result.data(), count, 1}, {result.data() + n, count, 1});
    T* const logarithm = result.data() + 2 * n;
    kernels.log_softmax_forward(classes, count, input, {logarithm, count, 1});
    kernels.log_softmax_backward(classes, count, grad, {logarithm, count, 1}, {logarithm + n, count, 1});
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    for (auto& index : indices) index = random.below(4) ? random.below(classes) : -100;
    const auto weight = random.values<T>(classes), sample_weight = random.values<T>(count);
    LossOptions<T> options;
    options.label_smoothing = random.below(2) ? T(0.1) : T(0);
    options.log_input = random.below(2) == 1, options.full = random.below(2) == 1;
    if (random.below(2)) options.weight = options.pos_weight = weight.data();
    LossArgs<T> args{};
    args.options = &options, args.classes = classes, args.count = count;
    args.prediction = input, args.target = grad;
    args.scale = T(0.37);
    args.sample_weight = random.below(2) ? sample_weight.data() : nullptr;
    for (const auto& loss : kLosses) {
        const auto number = static_cast<index_t>(loss.value);
        options.kind = loss.value;
        args.loss = losses.data() + number * count;
        args.grad_input = {result.data() + (4 + number) * n, count, 1};
        args.indices = loss.value == Loss::nll || random.below(2) ? indices.data() : nullptr;
        const LossArgs<T> both = args;
        if (random.below(2)) {
            kernels.loss(both);
        } else {
            args.grad_input = {};
            kernels.loss(args);
            args = both, args.loss = nullptr;
            kernels.loss(args);
        }
    }
    return {result, losses};
}

template <class T>
Results<T> normalized(const Kernels<T>& kernels, Random random) {
    const index_t features = random.size() + 1, count = random.size() + 1, n = features * count;
    const auto x = random.values<T>(n), grad = random.values<T>(n), weight = random.values<T>(features);
    std::vector<T> result(static_cast<std::size_t>(9 * n + 7 * features + 2 * count));
    T* next = result.data();
    const auto take = [&](index_t elements) { return std::exchange(next, next + elements); };
    const auto matrix = [&] { return Matrix<T>{take(n), count, 1}; };
    const Matrix<const T> input{x.data(), count, 1}, grad_output{grad.data(), count, 1};
    kernels.dropout({7, 3, static_cast<std::uint32_t>(features), 1u << 30, 4.0 / 3}, features, count, input,
                    matrix());
    for (const bool batch : {false, true}) {
        NormForward<T> f{features,       count,         T(0.1),
                         weight.data(),  weight.data(), input,
                         matrix(),       matrix(),      take(batch ? features : count),
                         take(features), take(features)};
        (batch ? kernels.batch_norm_forward : kernels.layer_norm_forward)(f);
        const Matrix<const T> h{f.normalized.data, count, 1};
        NormBackward<T> b{features, count, weight.data(), grad_output, h, f.rstd, matrix(), f.mean, f.square};
        (batch ? kernels.batch_norm_backward : kernels.layer_norm_backward)(b);
    }
    kernels.scale_shift(count, features, {x.data(), features, 1}, weight.data(), weight.data(),
                        {take(n), features, 1});
    kernels.row_dots(features, count, input, grad_output, false, take(features));
    kernels.column_dots(count, features, {x.data(), features, 1}, {grad.data(), features, 1}, take(features));
    kernels.add(features, count, input, grad_output, matrix());
    return {result, {}};
}

template <class T>
Results<T> bytes(const Kernels<T>& kernels, Random random) {
    const index_t rows = random.size(), cols = random.size();
    const auto scale = random.values<T>(cols), shift = random.values<T>(cols);
    std::vector<std::uint8_t> x(static_cast<std::size_t>(rows * cols));
    for (auto& byte : x) byte = static_cast<std::uint8_t>(random.bits());
    std::vector<T> result(x.size());
    kernels.scale_bytes(rows, cols, {x.data(), cols, 1}, scale.data(), shift.data(),
                        {result.data(), cols, 1});
    return {result, {}};
}

template <class T>
bool agree(const char* operation, const char* dtype, int cases, Operation<T> run) {
    const auto& tables = available_tables();
    const Kernels<T>& reference = kernels_of<T>(*tables.back());  // scalar comes last
    for (int i = 0; i < cases; ++i) {
        const Random random(static_cast<std::uint64_t>(i) + 1);
        const Results<T> expected = run(reference, random);
        for (const KernelTable* table : tables) {
            if (table == tables.back()) continue;
            const Results<T> found = run(kernels_of<T>(*table), random);
            if (!same(expected.values, found.values) || !same(expected.losses, found.losses)) {
                std::printf("%s, %s: %s differs from scalar in case %d\n", operation, dtype, table->name, i);
                return false;
            }
        }
    }
    for (const KernelTable* table : tables) {
        if (table != tables.back())
            std::printf("%s, %s: %s agrees in %d cases\n", operation, dtype, table->name, cases);
    }
    return true;
}

template <class T>
bool all_agree(const char* dtype, int cases) {
    return agree<T>("gemm", dtype, cases, gemm<T>) & agree<T>("sums", dtype, cases, sums<T>) &
           agree<T>("panels", dtype, cases, panels<T>) & agree<T>("bytes", dtype, cases, bytes<T>) &
           agree<T>("element-wise", dtype, cases, element_wise<T>) &
           agree<T>("class-wise", dtype, cases, class_wise<T>) &
           agree<T>("normalized", dtype, cases, normalized<T>);
}

}  // namespace

int main(int argc, char** argv) {
    const int cases = argc > 1 ? std::atoi(argv[1]) : 1000;
    return all_agree<float>("float32", cases) & all_agree<double>("float64", cases) ? 0 : 1;
}
