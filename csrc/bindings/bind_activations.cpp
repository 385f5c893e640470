// _core.activation_*, _core.softmax_*, _core.log_softmax_*
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "dispatch/registry.hpp"
#include "functional/batch_major.hpp"

namespace ne_torch {
namespace {

// The operands of a backward pass, which share one dtype and one shape.
struct Backward {
    Array grad_output;
    Array saved;
    Array grad_input;
};

Backward backward_operands(py::handle grad_output, py::handle saved, const char* saved_name, py::handle out,
                           const char* place) {
    Array s = input_array(saved, place, saved_name);
    Array grad = input_array(grad_output, place, "grad_output", s.dtype());
    require_same_shape(grad, s, place, "grad_output", saved_name);
    Array grad_input = output_array(out, shape_of(s), s.dtype(), place, {&grad, &s}, true);
    return {std::move(grad), std::move(s), std::move(grad_input)};
}

py::array activation_forward_py(const char* name, py::handle input, py::handle out, const char* place,
                                double first, double second) {
    const Array x = input_array(input, place, "input");
    const Array y = output_array(out, shape_of(x), x.dtype(), place, {&x}, true);
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto options = activation_options<T>(name, first, second);
        const ReleaseGil released(static_cast<double>(x.size()));
        active_kernels<T>().activation_forward(options, 1, x.size(), {x.data<T>()}, {y.mutable_data<T>()});
    });
    return y.object();
}

py::array activation_backward_py(const char* name, py::handle grad_output, py::handle input, py::handle out,
                                 const char* place, double first, double second) {
    const Backward b = backward_operands(grad_output, input, "input", out, place);
    with_type(b.saved.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto options = activation_options<T>(name, first, second);
        const ReleaseGil released(static_cast<double>(b.saved.size()));
        active_kernels<T>().activation_backward(options, 1, b.saved.size(), {b.grad_output.data<T>()},
                                                {b.saved.data<T>()}, {b.grad_input.mutable_data<T>()});
    });
    return b.grad_input.object();
}

py::list activation_names() {
    py::list names;
    for (const auto& activation : kActivations) names.append(activation.name);
    return names;
}

void require_last_axis(const Array& array, const char* place, const char* name) {
    if (array.ndim() > 0) return;
    throw py::value_error(std::string(place) + ": expected " + name +
                          " of shape (..., classes), got (); a single number has no axis to sum over");
}

// What a row of classes becomes: softmax or its logarithm.
struct Softmax {
    template <class T>
    static void forward(index_t rows, index_t cols, const T* x, T* y) {
        softmax_forward<T>(rows, cols, x, y);
    }
    template <class T>
    static void backward(index_t rows, index_t cols, const T* grad, const T* y, T* grad_input) {
        softmax_backward<T>(rows, cols, grad, y, grad_input);
    }
};

struct LogSoftmax {
    template <class T>
    static void forward(index_t rows, index_t cols, const T* x, T* y) {
        log_softmax_forward<T>(rows, cols, x, y);
    }
    template <class T>
    static void backward(index_t rows, index_t cols, const T* grad, const T* y, T* grad_input) {
        log_softmax_backward<T>(rows, cols, grad, y, grad_input);
    }
};

template <class Operation>
py::array class_wise_forward(py::handle input, py::handle out, const char* place) {
    const Array x = input_array(input, place, "input");
    require_last_axis(x, place, "input");
    const Array y = output_array(out, shape_of(x), x.dtype(), place, {&x}, true);
    with_type(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(10.0 * static_cast<double>(x.size()));
        Operation::template forward<T>(x.rows(), x.last(), x.data<T>(), y.mutable_data<T>());
    });
    return y.object();
}

template <class Operation>
py::array class_wise_backward(py::handle grad_output, py::handle output, py::handle out, const char* place) {
    const Backward b = backward_operands(grad_output, output, "output", out, place);
    require_last_axis(b.saved, place, "output");
    with_type(b.saved.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(4.0 * static_cast<double>(b.saved.size()));
        Operation::template backward<T>(b.saved.rows(), b.saved.last(), b.grad_output.data<T>(),
                                        b.saved.data<T>(), b.grad_input.mutable_data<T>());
    });
    return b.grad_input.object();
}

}  // namespace

void register_activations(py::module_& m) {
    m.def("activation_names", activation_names);
    m.def("activation_forward", activation_forward_py, py::arg("name"), py::arg("input"),
          py::arg("out") = py::none(), py::arg("place") = "activation_forward", py::arg("first") = 0.0,
          py::arg("second") = 0.0);
    m.def("activation_backward", activation_backward_py, py::arg("name"), py::arg("grad_output"),
          py::arg("input"), py::arg("out") = py::none(), py::arg("place") = "activation_backward",
          py::arg("first") = 0.0, py::arg("second") = 0.0);
    m.def("softmax_forward", class_wise_forward<Softmax>, py::arg("input"), py::arg("out") = py::none(),
          py::arg("place") = "softmax_forward");
    m.def("softmax_backward", class_wise_backward<Softmax>, py::arg("grad_output"), py::arg("output"),
          py::arg("out") = py::none(), py::arg("place") = "softmax_backward");
    m.def("log_softmax_forward", class_wise_forward<LogSoftmax>, py::arg("input"),
          py::arg("out") = py::none(), py::arg("place") = "log_softmax_forward");
    m.def("log_softmax_backward", class_wise_backward<LogSoftmax>, py::arg("grad_output"), py::arg("output"),
          py::arg("out") = py::none(), py::arg("place") = "log_softmax_backward");
}

}  // namespace ne_torch
