// A training run without Python, for machines that have none. It does what tests/test_platforms.py does:
//
//   train DTYPE BATCH STEPS SIZE SIZE [SIZE ...]
//
// Linear layers of the given sizes with ReLU between them, layer i drawn from seed i as nt.Linear(rng=i) is;
// inputs and targets are normal numbers from the seeds 1000 and 1001; STEPS steps of SGD on one batch. Writes
// the bytes of every weight and bias, layer by layer, and then the losses in float64.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "random/draws.hpp"
#include "training/engine.hpp"

namespace {

using ne_torch::index_t;

template <class T>
void write(const std::vector<T>& values) {
    std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

template <class T>
std::vector<T> normal(std::uint64_t seed, double deviation, index_t size) {
    std::vector<T> values(static_cast<std::size_t>(size));
    ne_torch::fill_normal<T>({seed, 0}, deviation, size, values.data());
    return values;
}

template <class T>
struct Layer {
    Layer(std::uint64_t seed, index_t in, index_t out)
        : weight(normal<T>(seed, std::sqrt(2.0 / static_cast<double>(in + out)), in * out)),
          bias(static_cast<std::size_t>(out)),
          weight_velocity(weight.size()),
          bias_velocity(bias.size()) {}
    std::vector<T> weight, bias, weight_velocity, bias_velocity;
};

template <class T>
void train(index_t batch, int steps, const std::vector<index_t>& sizes) {
    std::vector<Layer<T>> layers;
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) layers.emplace_back(i, sizes[i], sizes[i + 1]);
    const ne_torch::LossSettings mse({}, ne_torch::Reduction::mean, {}, {});
    ne_torch::Plan<T> plan(mse);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (i > 0) plan.add_activation({ne_torch::Activation::relu});
        Layer<T>& l = layers[i];
        plan.add_linear(sizes[i], sizes[i + 1], {l.weight.data(), {l.weight_velocity.data()}},
                        {l.bias.data(), {l.bias_velocity.data()}});
    }
    ne_torch::OptimizerSettings settings;
    settings.lr = 0.1;
    settings.momentum = 0.9;
    settings.weight_decay = 0.01;
    ne_torch::Engine<T> engine(std::move(plan), {&settings});
    const auto x = normal<T>(1000, 1, batch * sizes.front());
    const auto target = normal<T>(1001, 1, batch * sizes.back());
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) {
        losses.push_back(engine.step({batch, {x.data()}, {{target.data(), sizes.back(), 1}}}));
    }
    for (const Layer<T>& layer : layers) {
        write(layer.weight);
        write(layer.bias);
    }
    write(losses);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 6) {
        std::fputs("usage: train DTYPE BATCH STEPS SIZE SIZE [SIZE ...]\n", stderr);
        return 2;
    }
    std::vector<index_t> sizes;
    for (int i = 4; i < argc; ++i) sizes.push_back(std::atoll(argv[i]));
    const bool single = std::string(argv[1]) == "float32";
    (single ? train<float> : train<double>)(std::atoll(argv[2]), std::atoi(argv[3]), sizes);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "train: %s\n", error.what());
    return 1;
}
