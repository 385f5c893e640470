// _core.affine_forward, _core.affine_backward
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "functional/affine.hpp"

namespace ne_torch {
namespace {

struct Operands {
    Array input;
    Array weight;

    AffineShape shape() const { return {input.rows(), input.last(), weight.shape(0)}; }
};

std::string at(const char* place) { return std::string(place) + ": "; }

// weight decides dtype and in_features, and the input has to follow
Operands operands(py::handle input, py::handle weight, const char* place) {
    Array w = input_array(weight, place, "weight");
    if (w.ndim() != 2) {
        throw py::value_error(at(place) + "expected weight of shape (out_features, in_features), got " +
                              shape_text(w));
    }
    Array x = input_array(input, place, "input", w.dtype());
    if (x.ndim() == 0 || x.last() != w.shape(1)) {
        throw py::value_error(at(place) + "expected input of shape (..., " + std::to_string(w.shape(1)) +
                              "), got " + shape_text(x));
    }
    return {std::move(x), std::move(w)};
}

std::vector<py::ssize_t> output_shape(const Operands& with) {
    auto shape = shape_of(with.input);
    shape.back() = with.weight.shape(0);
    return shape;
}

py::array affine_forward_py(py::handle input, py::handle weight, py::handle bias, py::handle out,
                            const char* place) {
    const Operands with = operands(input, weight, place);
    std::optional<Array> b;
    if (!bias.is_none()) {
        b = input_array(bias, place, "bias", with.weight.dtype());
        if (b->ndim() != 1 || b->size() != with.weight.shape(0)) {
            throw py::value_error(at(place) + "expected bias of shape (" +
                                  std::to_string(with.weight.shape(0)) + ",), got " + shape_text(*b));
        }
    }
    const Array y = output_array(out, output_shape(with), with.weight.dtype(), place,
                                 {&with.input, &with.weight, b ? &*b : &with.weight});
    with_type(y.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(with.shape().work());
        affine_forward<T>(with.shape(), with.input.data<T>(), with.weight.data<T>(),
                          b ? b->data<T>() : nullptr, y.mutable_data<T>());
    });
    return y.object();
}

py::tuple affine_backward_py(py::handle grad_output, py::handle input, py::handle weight, bool bias,
                             py::handle grad_weight, py::handle grad_bias, const char* place) {
    const Operands with = operands(input, weight, place);
    const Array grad = input_array(grad_output, place, "grad_output", with.weight.dtype());
    const auto expected = output_shape(with);
    if (shape_of(grad) != expected) {
        throw py::value_error(at(place) + "expected grad_output of shape " + shape_text(expected) + ", got " +
                              shape_text(grad));
    }
    const auto inputs = {&grad, &with.input, &with.weight};
    const Dtype dtype = with.weight.dtype();
    const Array gx = new_array(shape_of(with.input), dtype);
    const Array gw = output_array(grad_weight, shape_of(with.weight), dtype, place, inputs);
    std::optional<Array> gb;
    if (bias) gb = output_array(grad_bias, {with.weight.object().shape(0)}, dtype, place, inputs);
    with_type(dtype, [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(2 * with.shape().work());
        affine_backward<T>(with.shape(), grad.data<T>(), with.input.data<T>(), with.weight.data<T>(),
                           gx.mutable_data<T>(), gw.mutable_data<T>(), gb ? gb->mutable_data<T>() : nullptr);
    });
    return py::make_tuple(gx.object(), gw.object(), gb ? py::object(gb->object()) : py::none());
}

}  // namespace

void register_affine(py::module_& m) {
    m.def("affine_forward", affine_forward_py, py::arg("input"), py::arg("weight"), py::arg("bias"),
          py::arg("out") = py::none(), py::arg("place") = "affine_forward");
    m.def("affine_backward", affine_backward_py, py::arg("grad_output"), py::arg("input"), py::arg("weight"),
          py::arg("bias") = true, py::arg("grad_weight") = py::none(), py::arg("grad_bias") = py::none(),
          py::arg("place") = "affine_backward");
}

}  // namespace ne_torch
