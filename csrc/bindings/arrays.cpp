#include "bindings/arrays.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/padded.hpp"

namespace ne_torch {
namespace {

constexpr int kKernelReady =
    py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

// NumPy aligns to 16 bytes, so that every vector of a wide result would lie across two cache lines, and the
// line between two tiles be written twice. For a small result the lines are still in the cache by then.
constexpr double kWorthAligning = 65536;
constexpr double kTooLarge = 1099511627776;  // NumPy says it

std::string at(const char* place) { return std::string(place) + ": "; }

// The dtype where kernels can compute in it, native byte order or not.
std::optional<Dtype> kernel_dtype(const py::dtype& dtype) {
    if (dtype.num() == py::detail::npy_api::NPY_FLOAT_) return Dtype::float32;
    if (dtype.num() == py::detail::npy_api::NPY_DOUBLE_) return Dtype::float64;
    if (dtype.kind() != 'f') return std::nullopt;
    if (dtype.itemsize() == 4) return Dtype::float32;
    if (dtype.itemsize() == 8) return Dtype::float64;
    return std::nullopt;
}

bool is_native(const py::dtype& dtype) { return dtype.byteorder() == '=' || dtype.byteorder() == '|'; }

bool is_kernel_ready(const py::array& array) {
    return (array.flags() & kKernelReady) == kKernelReady && is_native(array.dtype());
}

[[noreturn]] void wrong_dtype(const py::dtype& dtype, const char* place, const char* name,
                              std::optional<Dtype> wanted) {
    const std::string expected = wanted ? name_of(*wanted) : "float32 or float64";
    const char* cure = wanted ? name_of(*wanted) : "float32";
    const char kind = dtype.kind();
    const bool convertible = kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
    throw py::type_error(
        at(place) + "expected " + name + " of dtype " + expected + ", got " +
        py::str(static_cast<py::handle>(dtype)).cast<std::string>() +
        (convertible   ? std::string("; convert it with ") + name + ".astype(\"" + cure + "\")"
         : kind == 'c' ? std::string("; take its real part: ") + name + ".real.astype(\"" + cure + "\")"
                       : std::string("; make it numeric first, for instance with np.asarray(") + name +
                             ", dtype=\"" + cure + "\")"));
}

// NumPy's functions that are used here, kept for the life of the process.
struct {
    py::handle asarray, from_dlpack, may_share_memory, require;
} numpy;

py::array kernel_ready_copy(const py::array& array, Dtype dtype) {
    return numpy.require(array, name_of(dtype), "CA");
}

bool overlap(const Array& a, const Array& b) {
    const auto begin = [](const Array& x) { return reinterpret_cast<std::uintptr_t>(x.object().data()); };
    const auto end = [&](const Array& x) {
        return begin(x) + static_cast<std::uintptr_t>(x.object().nbytes());
    };
    return begin(a) < end(b) && begin(b) < end(a);
}

// Whether the array shares memory with what an input was copied from: its layer may keep that for backward.
bool shares_memory(const Array& array, const std::optional<py::array>& source) {
    return source && numpy.may_share_memory(array.object(), *source).cast<bool>();
}

Array writable_array(py::handle value, const char* place, const char* name, std::optional<Dtype> dtype) {
    if (!py::isinstance<py::array>(value)) {
        throw py::type_error(at(place) + "expected " + name + " as a NumPy array to write to, got " +
                             py::type::of(value).attr("__name__").cast<std::string>());
    }
    auto array = py::reinterpret_borrow<py::array>(value);
    const auto found = kernel_dtype(array.dtype());
    if (!found || (dtype && *found != *dtype)) wrong_dtype(array.dtype(), place, name, dtype);
    if (!is_kernel_ready(array) || !array.writeable()) {
        throw py::value_error(at(place) + "expected " + name +
                              " to be writable, C-contiguous, aligned and in native byte order; pass a fresh "
                              "array, for instance np.empty_like(...)");
    }
    return {std::move(array), *found};
}

}  // namespace

void look_up_numpy() {
    py::detail::npy_api::get();
    const py::module_ module = py::module_::import("numpy");
    const auto function = [&](const char* name) { return py::object(module.attr(name)).release(); };
    numpy = {function("asarray"), function("from_dlpack"), function("may_share_memory"), function("require")};
}

const char* name_of(Dtype dtype) { return dtype == Dtype::float32 ? "float32" : "float64"; }

py::array numpy_view(py::handle value, const char* place, const char* name) {
    try {
        const bool dlpack_only = py::hasattr(value, "__dlpack__") && !py::hasattr(value, "__array__");
        return (dlpack_only ? numpy.from_dlpack : numpy.asarray)(value);
    } catch (py::error_already_set& error) {
        const std::string got = ", got " + py::type::of(value).attr("__name__").cast<std::string>() + " (" +
                                py::str(error.value()).cast<std::string>() + ")";
        if (error.matches(PyExc_ValueError))
            throw py::value_error(at(place) + "expected " + name + " as a rectangular array of numbers" +
                                  got);
        for (const py::handle kind : {PyExc_TypeError, PyExc_BufferError, PyExc_RuntimeError}) {
            if (error.matches(kind))
                throw py::type_error(at(place) + "expected " + name +
                                     " in CPU memory and of a dtype that NumPy has" + got +
                                     "; convert it first");
        }
        throw;
    }
}

index_t Array::leading() const {
    index_t product = 1;
    for (int axis = 0; axis + 1 < ndim(); ++axis) product *= shape(axis);
    return product;
}

Array input_array(py::handle value, const char* place, const char* name, std::optional<Dtype> dtype) {
    const bool is_array = py::isinstance<py::array>(value);
    py::array array = is_array ? py::reinterpret_borrow<py::array>(value) : numpy_view(value, place, name);
    const auto found = kernel_dtype(array.dtype());
    const bool has_own_dtype =
        is_array || !(py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value) ||
                      py::isinstance<py::float_>(value));
    if (!found || (dtype && has_own_dtype && *found != *dtype))
        wrong_dtype(array.dtype(), place, name, dtype);
    const Dtype result = dtype.value_or(*found);
    if (result == *found && is_kernel_ready(array)) return {std::move(array), result};
    py::array copy = kernel_ready_copy(array, result);
    return {std::move(copy), result, std::move(array)};
}

Array parameter_array(py::handle value, const char* place, const char* name, std::optional<Dtype> dtype) {
    return writable_array(value, place, name, dtype);
}

Array new_array(const std::vector<py::ssize_t>& shape, Dtype dtype) {
    return with_type(dtype, [&](auto type) {
        using T = decltype(type);
        double bytes = sizeof(T);
        for (const py::ssize_t length : shape) bytes *= static_cast<double>(length);
        if (!(bytes >= kWorthAligning && bytes < kTooLarge)) return Array(py::array_t<T>(shape), dtype);
        const py::array_t<std::uint8_t> room(static_cast<py::ssize_t>(bytes) + kCacheLine);
        const std::uint8_t* const begin = room.data();
        const auto past = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(begin) % kCacheLine);
        const auto* const data = reinterpret_cast<const T*>(begin + (kCacheLine - past) % kCacheLine);
        return Array(py::array_t<T>(shape, data, room), dtype);
    });
}

std::vector<py::ssize_t> shape_of(const Array& array) {
    return {array.object().shape(), array.object().shape() + array.ndim()};
}

Array output_array(py::handle out, const std::vector<py::ssize_t>& shape, Dtype dtype, const char* place,
                   std::initializer_list<const Array*> inputs, bool in_place) {
    if (out.is_none()) return new_array(shape, dtype);
    Array array = writable_array(out, place, "out", dtype);
    if (shape_of(array) != shape) {
        throw py::value_error(at(place) + "expected out of shape " + shape_text(shape) + ", got " +
                              shape_text(array));
    }
    for (const Array* input : inputs) {
        const bool same = input->object().data() == array.object().data() && input->size() == array.size();
        if ((overlap(array, *input) && !(in_place && same)) || shares_memory(array, input->source())) {
            throw py::value_error(at(place) + "expected out to share no memory with the inputs; pass a copy");
        }
    }
    return array;
}

std::string shape_text(const std::vector<py::ssize_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + (shape.size() == 1 ? ",)" : ")");
}

std::string shape_text(const Array& array) { return shape_text(shape_of(array)); }

double finite_number(py::handle value, const char* place, const char* name) {
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        throw py::type_error(at(place) + "expected " + name + " as a number, got " +
                             py::repr(value).cast<std::string>());
    }
    if (!std::isfinite(number)) {
        throw py::value_error(at(place) + "expected " + name + " as a finite number, got " +
                              py::repr(value).cast<std::string>());
    }
    return number;
}

void require_shape(const Array& array, const std::vector<py::ssize_t>& shape, const char* place,
                   const char* name, const char* like_name) {
    if (std::equal(shape.begin(), shape.end(), array.object().shape(),
                   array.object().shape() + array.ndim())) {
        return;
    }
    throw py::value_error(at(place) + "expected " + name + " of shape " + shape_text(shape) +
                          ", the shape of " + like_name + ", got " + shape_text(array));
}

void require_same_shape(const Array& array, const Array& like, const char* place, const char* name,
                        const char* like_name) {
    require_shape(array, shape_of(like), place, name, like_name);
}

}  // namespace ne_torch
