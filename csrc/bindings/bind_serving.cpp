// _core.Predictor, and what its panels and its exported C need to know
#include <memory>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/wrong_code.hpp"
#include "core/exp_constants.hpp"
#include "core/log_constants.hpp"
#include "core/panels.hpp"
#include "core/polynomials.hpp"
#include "serving/predictor.hpp"

namespace ne_torch {
namespace {

[[noreturn]] void wrong_stage(const std::string& expected) {
    throw py::value_error("Predictor: expected " + expected);
}

// The array's data, which has to be exactly of this kind: it may come from a file.
template <class Element>
const Element* data_of(const py::handle value, const std::vector<py::ssize_t>& shape, const char* name) {
    if (!py::isinstance<py::array_t<Element, py::array::c_style>>(value)) {
        wrong_stage(std::string(name) + " as a contiguous array of " +
                    py::str(py::dtype::of<Element>()).template cast<std::string>());
    }
    const auto array = py::reinterpret_borrow<py::array>(value);
    const bool aligned = reinterpret_cast<std::uintptr_t>(array.data()) % sizeof(Element) == 0;
    if (!aligned || std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()) != shape) {
        wrong_stage(std::string(name) + " aligned and of shape " + shape_text(shape));
    }
    return static_cast<const Element*>(array.data());
}

template <class T>
const T* vector_of(const py::handle value, py::ssize_t length, const char* name) {
    return value.is_none() ? nullptr : data_of<T>(value, {length}, name);
}

index_t checked_width(index_t width) {
    if (width < 1 || width > 2147483647) {  // so that the product of two does not overflow
        wrong_stage("widths of 1 to 2147483647, got " + std::to_string(width));
    }
    return width;
}

index_t width_of(const py::handle value) { return checked_width(value.cast<index_t>()); }

// ("dense", in_features, out_features, activation, panels, bias, scale)
template <class T>
FrozenStage<T> dense_stage(const py::tuple& described) {
    FrozenStage<T> stage{StageKind::dense, width_of(described[1]), width_of(described[2])};
    stage.activation.kind = named(kActivations, described[3].cast<std::string>());
    if (stage.activation.kind != Activation::identity && stage.activation.kind != Activation::relu) {
        wrong_stage("identity or relu in a dense stage, got " + described[3].cast<std::string>());
    }
    const std::vector<py::ssize_t> shape{panels_size<T>(stage.in_features, stage.out_features)};
    const py::object panels = described[4];
    const bool reduced = sizeof(T) == 4 && py::isinstance<py::array>(panels);
    if (reduced && py::isinstance<py::array_t<std::uint16_t>>(panels)) {
        stage.format = WeightFormat::bfloat16;
        stage.panels = data_of<std::uint16_t>(panels, shape, "panels");
    } else if (reduced && py::isinstance<py::array_t<std::int8_t>>(panels)) {
        stage.format = WeightFormat::int8_per_row;
        stage.panels = data_of<std::int8_t>(panels, shape, "panels");
    } else {
        stage.panels = data_of<T>(panels, shape, "panels");
    }
    stage.bias = vector_of<T>(described[5], stage.out_features, "bias");
    stage.scale = vector_of<T>(described[6], stage.out_features, "scale");
    return stage;
}

// ("layer_norm", width, eps, weight, bias)
template <class T>
FrozenStage<T> layer_norm_stage(index_t width, const py::tuple& described) {
    FrozenStage<T> stage{StageKind::layer_norm, width, width};
    stage.eps = static_cast<T>(described[2].cast<double>());
    stage.weight = vector_of<T>(described[3], width, "weight");
    stage.bias = vector_of<T>(described[4], width, "bias");
    if (stage.bias && !stage.weight) wrong_stage("a weight where there is a bias");
    return stage;
}

// ("scale_shift", width, scale, shift)
template <class T>
FrozenStage<T> scale_shift_stage(index_t width, const py::tuple& described) {
    FrozenStage<T> stage{StageKind::scale_shift, width, width};
    stage.scale = data_of<T>(described[2], {width}, "scale");
    stage.bias = data_of<T>(described[3], {width}, "shift");
    return stage;
}

// ("keep", width, slot) or ("add_kept", width, slot)
template <class T>
FrozenStage<T> skip_stage(StageKind kind, index_t width, const py::tuple& described) {
    FrozenStage<T> stage{kind, width, width};
    stage.slot = described[2].cast<std::size_t>();
    return stage;
}

// ("tabular_embedding", in_features, ((column, table), ...))
template <class T>
FrozenStage<T> tabular_embedding_stage(index_t in_features, const py::tuple& described) {
    std::vector<FrozenTable<T>> tables;
    for (const py::handle item : described[2]) {
        const auto parts = py::reinterpret_borrow<py::tuple>(item);
        if (!py::isinstance<py::array>(parts[1])) wrong_stage("a table as an array");
        const auto table = py::reinterpret_borrow<py::array>(parts[1]);
        if (table.ndim() != 2 || table.size() == 0) wrong_stage("a table of rows and columns");
        const py::ssize_t rows = table.shape(0), dim = table.shape(1);
        tables.push_back({parts[0].cast<index_t>(), rows, dim, data_of<T>(table, {rows, dim}, "a table")});
    }
    Lookup<T> lookup(in_features, std::move(tables));
    FrozenStage<T> stage{StageKind::tabular_embedding, in_features, checked_width(lookup.out_features())};
    stage.lookup = std::move(lookup);
    return stage;
}

// or one of these, or ("activation", width, name, first, second), or ("softmax", width), or
// ("log_softmax", width)
template <class T>
FrozenStage<T> stage_of(const py::tuple& described) {
    const auto kind = described[0].cast<std::string>();
    if (kind == "dense") return dense_stage<T>(described);
    const index_t width = width_of(described[1]);
    if (kind == "softmax") return {StageKind::softmax, width, width};
    if (kind == "layer_norm") return layer_norm_stage<T>(width, described);
    if (kind == "scale_shift") return scale_shift_stage<T>(width, described);
    if (kind == "keep") return skip_stage<T>(StageKind::keep, width, described);
    if (kind == "add_kept") return skip_stage<T>(StageKind::add_kept, width, described);
    if (kind == "tabular_embedding") return tabular_embedding_stage<T>(width, described);
    if (kind == "log_softmax") return {StageKind::log_softmax, width, width};
    return {StageKind::activation, width, width,
            activation_options<T>(described[2].cast<std::string>(), described[3].cast<double>(),
                                  described[4].cast<double>())};
}

template <class T>
Predictor<T> make_predictor(const py::tuple& stages) {
    std::vector<FrozenStage<T>> made;
    for (const py::handle stage : stages)
        made.push_back(stage_of<T>(py::reinterpret_borrow<py::tuple>(stage)));
    return Predictor<T>(std::move(made));
}

// Predictor with the arrays that it borrows.
class PyPredictor {
  public:
    PyPredictor(const std::string& dtype, py::tuple stages)
        : stages_(std::move(stages)),
          dtype_(dtype == "float32" ? Dtype::float32 : Dtype::float64),
          predictor_(dtype_ == Dtype::float32 ? decltype(predictor_)(make_predictor<float>(stages_))
                                              : decltype(predictor_)(make_predictor<double>(stages_))) {}

    py::array predict(py::handle input, py::handle out) const {
        return std::visit([&](const auto& predictor) { return predict_with(predictor, input, out); },
                          predictor_);
    }

  private:
    template <class T>
    py::array predict_with(const Predictor<T>& predictor, py::handle input, py::handle out) const {
        const Array x = input_array(input, "Predictor", "x", dtype_);
        if (x.ndim() == 0 || x.last() != predictor.in_features()) {
            throw py::value_error("Predictor: expected x of shape (..., " +
                                  std::to_string(predictor.in_features()) + "), got " + shape_text(x));
        }
        auto shape = shape_of(x);
        shape.back() = predictor.out_features();
        const Array y = output_array(out, shape, dtype_, "Predictor", {&x});
        const index_t rows = x.rows();
        std::optional<WrongCode<T>> wrong;
        if (rows > 0) {
            const ReleaseGil released(static_cast<double>(rows) * predictor.work_per_row());
            wrong = predictor.run(rows, x.data<T>(), y.mutable_data<T>());
        }
        require_codes(wrong);
        return y.object();
    }

    py::tuple stages_;
    Dtype dtype_;
    std::variant<Predictor<float>, Predictor<double>> predictor_;
};

template <class T, std::size_t N, std::size_t M>
py::list numbers(const float (&single)[N], const double (&wide)[M]) {
    py::list found;
    if constexpr (sizeof(T) == sizeof(float)) {
        for (const float value : single) found.append(value);
    } else {
        for (const double value : wide) found.append(value);
    }
    return found;
}

// What an exported program needs to compute elementary functions as kernels/elementary/ does.
template <class T>
py::dict elementary_constants() {
    using Exp = ExpConstants<T>;
    using Log = LogConstants<T>;
    using Tanh = TanhConstants<T>;
    using Erf = ErfConstants<T>;
    py::list exp_factors, log_factors;
    for (int i = Exp::degree; i >= 2; --i) exp_factors.append(inverse_factorial<T>(i));
    for (int i = Log::terms; i >= 1; --i) log_factors.append(log_coefficient<T>(i));
    using namespace py::literals;
    return py::dict("log2_e"_a = Exp::log2_e, "ln2_high"_a = Exp::ln2_high, "ln2_low"_a = Exp::ln2_low,
                    "round_shift"_a = Exp::round_shift, "lowest"_a = Exp::lowest, "highest"_a = Exp::highest,
                    "exp_factors"_a = exp_factors, "least_normal"_a = Log::least_normal,
                    "subnormal_scale"_a = Log::subnormal_scale,
                    "subnormal_exponent"_a = Log::subnormal_exponent, "no_correction"_a = Log::no_correction,
                    "log_factors"_a = log_factors, "two_log2_e"_a = Tanh::two_log2_e,
                    "half_ln2_high"_a = Tanh::half_ln2_high, "half_ln2_low"_a = Tanh::half_ln2_low,
                    "tanh_highest"_a = Tanh::highest, "tanh_factors"_a = numbers<T>(kTanhSingle, kTanhWide),
                    "erf_highest"_a = Erf::highest, "erf_near"_a = numbers<T>(kErfNearSingle, kErfNearWide),
                    "erf_far"_a = numbers<T>(kErfFarSingle, kErfFarWide));
}

}  // namespace

void register_serving(py::module_& m) {
    py::class_<PyPredictor>(m, "Predictor")
        .def(py::init<const std::string&, py::tuple>(), py::arg("dtype"), py::arg("stages"))
        .def("predict", &PyPredictor::predict, py::arg("x"), py::arg("out") = py::none());
    m.def(
        "elementary_constants",
        [](const std::string& dtype) {
            return dtype == "float32" ? elementary_constants<float>() : elementary_constants<double>();
        },
        py::arg("dtype"));
    m.def(
        "panel_width",
        [](py::ssize_t itemsize) {
            return itemsize == sizeof(float) ? kPanelWidth<float> : kPanelWidth<double>;
        },
        py::arg("itemsize"));
    m.def(
        "panel_line",
        [](py::ssize_t itemsize) {
            return itemsize == sizeof(float) ? kPanelLine<float> : kPanelLine<double>;
        },
        py::arg("itemsize"));
}

}  // namespace ne_torch
