// _core.philox4x32, _core.random_normal, _core.random_uniform, _core.random_permutation
#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "random/draws.hpp"

namespace ne_torch {
namespace {

// A new array, filled by fill(its first element, their number) without the GIL.
template <class Fill>
py::array drawn(const std::vector<py::ssize_t>& shape, const std::string& dtype, double operations,
                Fill fill) {
    const Array values = new_array(shape, dtype == "float32" ? Dtype::float32 : Dtype::float64);
    with_type(values.dtype(), [&](auto type) {
        const ReleaseGil released(operations * static_cast<double>(values.size()));
        fill(values.mutable_data<decltype(type)>(), values.size());
    });
    return values.object();
}

py::array random_normal(std::uint64_t seed, std::uint64_t block, double deviation,
                        const std::vector<py::ssize_t>& shape, const std::string& dtype) {
    return drawn(shape, dtype, 50.0,
                 [&](auto* values, index_t n) { fill_normal({seed, block}, deviation, n, values); });
}

py::array random_uniform(std::uint64_t seed, std::uint64_t block, double low, double high,
                         const std::vector<py::ssize_t>& shape, const std::string& dtype) {
    return drawn(shape, dtype, 20.0,
                 [&](auto* values, index_t n) { fill_uniform({seed, block}, low, high, n, values); });
}

py::array random_permutation(std::uint64_t seed, std::uint64_t block, index_t n) {
    py::array_t<std::int64_t> values(n);
    std::int64_t* data = values.mutable_data();
    const ReleaseGil released(20.0 * static_cast<double>(n));
    fill_permutation({seed, block}, n, data);
    return values;
}

}  // namespace

void register_random(py::module_& m) {
    m.def(
        "philox4x32",
        [](const PhiloxBlock& counter, std::uint32_t key0, std::uint32_t key1) {
            return philox4x32(counter, key0, key1);
        },
        py::arg("counter"), py::arg("key0"), py::arg("key1"));
    m.def("normal_quantile", normal_quantile, py::arg("p"));
    m.def("random_normal", random_normal, py::arg("seed"), py::arg("block"), py::arg("deviation"),
          py::arg("shape"), py::arg("dtype"));
    m.def("random_uniform", random_uniform, py::arg("seed"), py::arg("block"), py::arg("low"),
          py::arg("high"), py::arg("shape"), py::arg("dtype"));
    m.def("random_permutation", random_permutation, py::arg("seed"), py::arg("block"), py::arg("n"));
}

}  // namespace ne_torch
