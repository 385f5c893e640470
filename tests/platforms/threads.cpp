// The pool under load, for a sanitizer that watches every access:
//
//   threads SECONDS
//
// Six threads at once train networks of their own and predict with a shared predictor, while another changes
// the number of threads and the main one runs regions full of barriers, nested ones among them. Every result
// has to be the bits that one thread gives alone.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "core/panels.hpp"
#include "random/draws.hpp"
#include "serving/predictor.hpp"
#include "threading/thread_pool.hpp"
#include "training/engine.hpp"

namespace {

using namespace ne_torch;
using Values = std::vector<float>;
using Clock = std::chrono::steady_clock;

constexpr index_t kIn = 70, kHidden = 130, kOut = 9, kBatch = 65;
std::atomic<int> failures{0};

Values normal(std::uint64_t seed, index_t size) {
    Values values(static_cast<std::size_t>(size));
    fill_normal<float>({seed, 0}, 0.1, size, values.data());
    return values;
}

void expect(bool holds, const char* what) {
    if (!holds && failures.fetch_add(1) == 0) std::printf("%s differs\n", what);
}

Values train(std::uint64_t seed) {
    Values first = normal(seed, kIn * kHidden), second = normal(seed + 1, kHidden * kOut);
    Values first_bias(kHidden), second_bias(kOut);
    const LossSettings mse({}, Reduction::mean, {}, {});
    Plan<float> plan(mse);
    plan.add_linear(kIn, kHidden, {first.data()}, {first_bias.data()});
    plan.add_activation({Activation::relu});
    plan.add_linear(kHidden, kOut, {second.data()}, {second_bias.data()});
    OptimizerSettings settings;
    settings.lr = 0.1;
    Engine<float> engine(std::move(plan), {&settings});
    const Values x = normal(100, 3 * kBatch * kIn), target = normal(101, 3 * kBatch * kOut);
    for (int i = 0; i < 3; ++i) {
        engine.step({kBatch, {x.data()}, {{target.data(), kOut, 1}}});
        Progress progress;
        progress.total_penalty = 0;
        engine.run({3 * kBatch, {x.data()}, {{target.data(), kOut, 1}}}, progress, kBatch, 1);
    }
    first.insert(first.end(), second.begin(), second.end());
    first.insert(first.end(), second_bias.begin(), second_bias.end());
    return first;
}

constexpr index_t kColumn = 3, kCodes = 5;  // of the predictor's rows, one column holds codes

Values with_codes(Values x) {
    for (index_t row = 0; row * kIn < static_cast<index_t>(x.size()); ++row) {
        x[static_cast<std::size_t>(row * kIn + kColumn)] = static_cast<float>(row % kCodes);
    }
    return x;
}

Predictor<float> make_predictor(const Values& table, const Values& panels, const Values& bias) {
    FrozenStage<float> lookup{StageKind::tabular_embedding, kIn, kIn};
    lookup.lookup = {kIn, {{kColumn, kCodes, 1, table.data()}}};
    FrozenStage<float> dense{StageKind::dense, kIn, kHidden, {Activation::relu}};
    dense.panels = panels.data();
    dense.bias = bias.data();
    return Predictor<float>({lookup, dense, {StageKind::softmax, kHidden, kHidden}});
}

Values predict(const Predictor<float>& predictor, const Values& x) {
    const auto rows = static_cast<index_t>(x.size()) / kIn;
    Values y(static_cast<std::size_t>(rows * kHidden));
    const bool wrong = predictor.run(rows, x.data(), y.data()).has_value();
    return wrong ? Values{} : y;
}

// Every member adds its number between two barriers; all must have seen the whole sum.
void region_with_barriers() {
    std::vector<int> numbers(1024), sums(1024);
    parallel(num_threads(), 1e12, [&](Team& team) {
        for (int round = 1; round <= 20; ++round) {
            numbers[static_cast<std::size_t>(team.index)] = round * (team.index + 1);
            team.barrier();
            sums[static_cast<std::size_t>(team.index)] =
                std::accumulate(numbers.begin(), numbers.begin() + team.count, 0);
            team.barrier();
            const int expected = round * team.count * (team.count + 1) / 2;
            expect(sums[static_cast<std::size_t>((team.index + 1) % team.count)] == expected, "a barrier");
            team.barrier();
        }
        parallel(2, 1e12,
                 [&](Team& nested) { expect(team.count == 1 || nested.count == 1, "a nested region"); });
    });
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
    const Values panels = normal(7, panels_size<float>(kIn, kHidden)), bias = normal(8, kHidden);
    const Values table = normal(11, kCodes);
    const Predictor<float> predictor = make_predictor(table, panels, bias);
    const Values few = with_codes(normal(9, 3 * kIn)), many = with_codes(normal(10, 600 * kIn));
    Values wrong = many;
    wrong[400 * kIn + kColumn] = kCodes;
    set_num_threads(1);
    const Values trained[] = {train(0), train(10), train(20)};
    const Values expected_few = predict(predictor, few), expected_many = predict(predictor, many);

    std::atomic<bool> stop{false};
    std::atomic<int> rounds{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 6; ++i) {
        threads.emplace_back([&, i] {
            while (!stop) {
                expect(train(10 * (i % 3)) == trained[i % 3], "a training");
                expect(predict(predictor, few) == expected_few, "a prediction of few rows");
                expect(predict(predictor, many) == expected_many, "a prediction of many rows");
                expect(predict(predictor, wrong).empty(), "a prediction of a wrong code");
                ++rounds;
            }
        });
    }
    threads.emplace_back([&] {
        for (int count = 1; !stop; count = count % 4 + 1) set_num_threads(count);
    });
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) region_with_barriers();
    stop = true;
    for (std::thread& thread : threads) thread.join();
    std::printf("%d rounds, %d failures\n", rounds.load(), failures.load());
    return failures == 0 ? 0 : 1;
}
