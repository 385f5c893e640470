// _core.layer_norm_*, _core.batch_norm_*, _core.scale_shift, _core.scale_shift_gradients
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "dispatch/registry.hpp"
#include "functional/normalization.hpp"

namespace ne_torch {
namespace {

// (..., features) with features given by the layer
Array input_of(py::handle value, const char* place, const char* name, Dtype dtype, index_t features) {
    Array x = input_array(value, place, name, dtype);
    if (x.ndim() == 0 || x.last() != features) {
        throw py::value_error(std::string(place) + ": expected " + name + " of shape (..., " +
                              std::to_string(features) + "), got " + shape_text(x));
    }
    return x;
}

// weight, bias, a statistic: (features,), or None
std::optional<Array> vector_of(py::handle value, const char* place, const char* name, Dtype dtype) {
    if (value.is_none()) return std::nullopt;
    return input_array(value, place, name, dtype);
}
template <class T>
const T* data_of(const std::optional<Array>& array) {
    return array ? array->data<T>() : nullptr;
}

Dtype dtype_named(const std::string& name) { return name == "float32" ? Dtype::float32 : Dtype::float64; }

// -> output, normalized, rstd
py::tuple layer_norm_forward_py(py::handle input, index_t features, const std::string& dtype,
                                py::handle weight, py::handle bias, double eps, const char* place) {
    const Array x = input_of(input, place, "input", dtype_named(dtype), features);
    const auto w = vector_of(weight, place, "weight", x.dtype());
    const auto b = vector_of(bias, place, "bias", x.dtype());
    const Array y = new_array(shape_of(x), x.dtype());
    const Array normalized = new_array(shape_of(x), x.dtype());
    const Array rstd = new_array({x.rows()}, x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const LayerNorm<T> norm{static_cast<T>(eps), data_of<T>(w), data_of<T>(b)};
        const ReleaseGil released(6.0 * static_cast<double>(x.size()));
        layer_norm_forward<T>(norm, x.rows(), features, x.data<T>(), normalized.mutable_data<T>(),
                              rstd.mutable_data<T>(), y.mutable_data<T>());
    });
    return py::make_tuple(y.object(), normalized.object(), rstd.object());
}

py::array layer_norm_backward_py(py::handle grad_output, py::handle normalized, py::handle rstd,
                                 py::handle weight, const char* place) {
    const Array x = input_array(normalized, place, "normalized");
    const Array grad = input_array(grad_output, place, "grad_output", x.dtype());
    require_same_shape(grad, x, place, "grad_output", "output");
    const Array r = input_array(rstd, place, "rstd", x.dtype());
    const auto w = vector_of(weight, place, "weight", x.dtype());
    const Array grad_input = new_array(shape_of(x), x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(6.0 * static_cast<double>(x.size()));
        layer_norm_backward<T>(x.rows(), x.last(), data_of<T>(w), grad.data<T>(), x.data<T>(), r.data<T>(),
                               grad_input.mutable_data<T>());
    });
    return grad_input.object();
}

// -> grad_weight, grad_bias of what ends with normalized * weight + bias
py::tuple scale_shift_gradients(py::handle grad_output, py::handle normalized, const char* place) {
    const Array x = input_array(normalized, place, "normalized");
    const Array grad = input_array(grad_output, place, "grad_output", x.dtype());
    require_same_shape(grad, x, place, "grad_output", "output");
    const Array grad_weight = new_array({x.last()}, x.dtype());
    const Array grad_bias = new_array({x.last()}, x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const Kernels<T>& kernels = active_kernels<T>();
        const index_t cols = x.last();
        const ReleaseGil released(2.0 * static_cast<double>(x.size()));
        kernels.column_dots(x.rows(), cols, {grad.data<T>(), cols, 1}, {x.data<T>(), cols, 1},
                            grad_weight.mutable_data<T>());
        kernels.column_sums(x.rows(), cols, {grad.data<T>(), cols, 1}, grad_bias.mutable_data<T>());
    });
    return py::make_tuple(grad_weight.object(), grad_bias.object());
}

// (samples, features), at least two samples -> output, normalized, rstd; running is None, or running_mean,
// running_var and a momentum
py::tuple batch_norm_forward_py(py::handle input, py::handle weight, py::handle bias, double eps,
                                py::handle running, const char* place) {
    const Array x = input_array(input, place, "input");
    const auto w = vector_of(weight, place, "weight", x.dtype());
    const auto b = vector_of(bias, place, "bias", x.dtype());
    std::optional<Array> running_mean;
    std::optional<Array> running_var;
    double momentum = 0;
    if (!running.is_none()) {
        const auto parts = py::reinterpret_borrow<py::tuple>(running);
        running_mean = parameter_array(parts[0], place, "running_mean", x.dtype());
        running_var = parameter_array(parts[1], place, "running_var", x.dtype());
        momentum = parts[2].cast<double>();
    }
    const index_t features = x.last();
    const Array y = new_array(shape_of(x), x.dtype());
    const Array normalized = new_array(shape_of(x), x.dtype());
    const Array room = new_array({3, features}, x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        NormForward<T> a;
        a.features = features;
        a.count = x.rows();
        a.eps = static_cast<T>(eps);
        a.weight = data_of<T>(w);
        a.bias = data_of<T>(b);
        a.input = {x.data<T>(), features, 1};
        a.normalized = {normalized.mutable_data<T>(), features, 1};
        a.output = {y.mutable_data<T>(), features, 1};
        a.rstd = room.mutable_data<T>();
        a.mean = a.rstd + features;
        a.square = a.mean + features;
        T* const mean = running_mean ? running_mean->mutable_data<T>() : nullptr;
        T* const var = running_mean ? running_var->mutable_data<T>() : nullptr;
        const ReleaseGil released(8.0 * static_cast<double>(x.size()));
        batch_norm_forward(a);
        if (mean) update_running(features, a.count, momentum, a.mean, a.square, mean, var);
    });
    return py::make_tuple(y.object(), normalized.object(), room.object()[py::int_(0)]);
}

// -> grad_input, grad_weight, grad_bias
py::tuple batch_norm_backward_py(py::handle grad_output, py::handle normalized, py::handle rstd,
                                 py::handle weight, const char* place) {
    const Array x = input_array(normalized, place, "normalized");
    const Array grad = input_array(grad_output, place, "grad_output", x.dtype());
    require_same_shape(grad, x, place, "grad_output", "output");
    const Array r = input_array(rstd, place, "rstd", x.dtype());
    const auto w = vector_of(weight, place, "weight", x.dtype());
    const Array grad_input = new_array(shape_of(x), x.dtype());
    const Array grad_weight = new_array({x.last()}, x.dtype());
    const Array grad_bias = new_array({x.last()}, x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        NormBackward<T> a;
        a.features = x.last();
        a.count = x.rows();
        a.weight = data_of<T>(w);
        a.grad_output = {grad.data<T>(), a.features, 1};
        a.normalized = {x.data<T>(), a.features, 1};
        a.rstd = r.data<T>();
        a.grad_input = {grad_input.mutable_data<T>(), a.features, 1};
        a.grad_weight = grad_weight.mutable_data<T>();
        a.grad_bias = grad_bias.mutable_data<T>();
        const ReleaseGil released(8.0 * static_cast<double>(x.size()));
        batch_norm_backward(a);
    });
    return py::make_tuple(grad_input.object(), grad_weight.object(), grad_bias.object());
}

// -> scale, shift
py::tuple fold_statistics_py(py::handle weight, py::handle bias, py::handle mean, py::handle var,
                             double eps) {
    const Array m = input_array(mean, "BatchNorm1d", "running_mean");
    const Array v = input_array(var, "BatchNorm1d", "running_var", m.dtype());
    const auto w = vector_of(weight, "BatchNorm1d", "weight", m.dtype());
    const auto b = vector_of(bias, "BatchNorm1d", "bias", m.dtype());
    const Array scale = new_array(shape_of(m), m.dtype());
    const Array shift = new_array(shape_of(m), m.dtype());
    with_type(m.dtype(), [&](auto type) {
        using T = decltype(type);
        fold_statistics<T>(m.size(), static_cast<T>(eps), data_of<T>(w), data_of<T>(b), m.data<T>(),
                           v.data<T>(), scale.mutable_data<T>(), shift.mutable_data<T>());
    });
    return py::make_tuple(scale.object(), shift.object());
}

py::array scale_shift_py(py::handle input, py::handle scale, py::handle shift, const char* place,
                         const char* name) {
    const Array s = input_array(scale, place, "scale");
    const Array x = input_of(input, place, name, s.dtype(), s.size());
    const auto t = vector_of(shift, place, "shift", s.dtype());
    const Array y = new_array(shape_of(x), x.dtype());
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(static_cast<double>(x.size()));
        active_kernels<T>().scale_shift(x.rows(), x.last(), {x.data<T>(), x.last(), 1}, s.data<T>(),
                                        data_of<T>(t), {y.mutable_data<T>(), x.last(), 1});
    });
    return y.object();
}

}  // namespace

void register_normalization(py::module_& m) {
    m.def("layer_norm_forward", layer_norm_forward_py, py::arg("input"), py::arg("features"),
          py::arg("dtype"), py::arg("weight"), py::arg("bias"), py::arg("eps"),
          py::arg("place") = "layer_norm_forward");
    m.def("layer_norm_backward", layer_norm_backward_py, py::arg("grad_output"), py::arg("normalized"),
          py::arg("rstd"), py::arg("weight"), py::arg("place") = "layer_norm_backward");
    m.def("batch_norm_forward", batch_norm_forward_py, py::arg("input"), py::arg("weight"), py::arg("bias"),
          py::arg("eps"), py::arg("running") = py::none(), py::arg("place") = "batch_norm_forward");
    m.def("batch_norm_backward", batch_norm_backward_py, py::arg("grad_output"), py::arg("normalized"),
          py::arg("rstd"), py::arg("weight"), py::arg("place") = "batch_norm_backward");
    m.def("fold_statistics", fold_statistics_py, py::arg("weight"), py::arg("bias"), py::arg("mean"),
          py::arg("var"), py::arg("eps"));
    m.def("scale_shift", scale_shift_py, py::arg("input"), py::arg("scale"), py::arg("shift"),
          py::arg("place") = "scale_shift", py::arg("name") = "input");
    m.def("scale_shift_gradients", scale_shift_gradients, py::arg("grad_output"), py::arg("normalized"),
          py::arg("place") = "scale_shift_gradients");
}

}  // namespace ne_torch
