// _core.dropout, _core.embedding_backward
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "functional/dropout.hpp"
#include "functional/embedding.hpp"

namespace ne_torch {
namespace {

// An input of no axes is one sample of one feature.
py::array dropout_py(py::handle input, std::uint64_t seed, std::uint64_t pass, double p, py::handle out,
                     const char* place, const char* name) {
    const Array x = input_array(input, place, name);
    const Array y = output_array(out, shape_of(x), x.dtype(), place, {&x}, true);
    const index_t cols = x.ndim() == 0 ? 1 : x.last();
    if (x.size() == 0) return y.object();
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(8.0 * static_cast<double>(x.size()));
        dropout<T>(dropout_args(seed, pass, p), x.size() / cols, cols, x.data<T>(), y.mutable_data<T>());
    });
    return y.object();
}

// codes: contiguous int64 from 0 to rows - 1, with an axis less than grad_output
py::array embedding_backward_py(py::handle grad_output, const py::array_t<std::int64_t>& codes, index_t rows,
                                index_t padding, const char* dtype, const char* place) {
    const Dtype kind = std::string(dtype) == "float32" ? Dtype::float32 : Dtype::float64;
    const Array grad = input_array(grad_output, place, "grad_output", kind);
    const Array table = new_array({rows, grad.last()}, kind);
    with_type(kind, [&](auto type) {
        using T = decltype(type);
        const std::int64_t* const data = codes.data();
        const ReleaseGil released(static_cast<double>(grad.size() + table.size()));
        embedding_backward<T>(codes.size(), grad.last(), data, grad.data<T>(), rows, padding,
                              table.mutable_data<T>());
    });
    return table.object();
}

}  // namespace

void register_layers(py::module_& m) {
    m.def("dropout", dropout_py, py::arg("input"), py::arg("seed"), py::arg("passed"), py::arg("p"),
          py::arg("out") = py::none(), py::arg("place") = "dropout", py::arg("name") = "input");
    m.def("embedding_backward", embedding_backward_py, py::arg("grad_output"), py::arg("codes"),
          py::arg("rows"), py::arg("padding"), py::arg("dtype"), py::arg("place") = "embedding_backward");
}

}  // namespace ne_torch
