// _core.ScaledBytes
#include "bindings/bindings.hpp"
#include "bindings/scaled_bytes.hpp"
#include "dispatch/registry.hpp"

namespace ne_torch {
namespace {

py::array converted(const ScaledBytes& source) {
    const Array output = new_array(source.shape(), source.dtype());
    with_type(source.dtype(), [&](auto type) {
        using T = decltype(type);
        const Features<T> x = source.features<T>();
        T* const data = output.mutable_data<T>();
        const ReleaseGil released(static_cast<double>(output.size()));
        active_kernels<T>().scale_bytes(output.rows(), output.last(), {x.bytes, output.last(), 1}, x.scale,
                                        x.shift, {data, output.last(), 1});
    });
    return output.object();
}

}  // namespace

void register_data(py::module_& m) {
    py::class_<ScaledBytes>(m, "ScaledBytes")
        .def(py::init<py::array, py::handle, py::handle>(), py::arg("bytes"), py::arg("scale"),
             py::arg("shift"))
        .def("converted", converted);
}

}  // namespace ne_torch
