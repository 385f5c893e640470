// The boundary to NumPy: what comes in is checked once and viewed, what goes out is allocated here.
//
// Anything NumPy can view is taken (lists, tensors, any strides, byte orders, read-only); what a kernel
// cannot read as it lies is copied. An error names the place, what it expected, what came, and the cure.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "bindings/release_gil.hpp"
#include "core/activation_options.hpp"
#include "core/names.hpp"
#include "core/views.hpp"

namespace ne_torch {

namespace py = pybind11;

enum class Dtype { float32, float64 };

// Called once, while the module is imported: NumPy's functions looked up at their first use would let other
// threads run in the middle of it, one of which might end the interpreter or ask for them as well.
void look_up_numpy();

const char* name_of(Dtype dtype);

// A contiguous, aligned, native float32 or float64 array, kept alive as long as this object.
class Array {
  public:
    Array(py::array array, Dtype dtype, std::optional<py::array> source = std::nullopt)
        : array_(std::move(array)), dtype_(dtype), source_(std::move(source)) {}

    const py::array& object() const { return array_; }
    Dtype dtype() const { return dtype_; }
    const std::optional<py::array>& source() const {
        return source_;
    }  // what this is a copy of, if it is one
    int ndim() const { return static_cast<int>(array_.ndim()); }
    index_t size() const { return static_cast<index_t>(array_.size()); }
    index_t shape(int axis) const {
        return static_cast<index_t>(array_.shape(axis < 0 ? axis + ndim() : axis));
    }
    index_t rows() const {
        return last() == 0 ? leading() : size() / last();
    }  // all axes but the last, as one
    index_t last() const { return shape(-1); }
    template <class T>
    const T* data() const {
        return static_cast<const T*>(array_.data());
    }
    // Of arrays that this library made, or that output_array and parameter_array have found writable.
    template <class T>
    T* mutable_data() const {
        return const_cast<T*>(static_cast<const T*>(array_.data()));
    }

  private:
    index_t leading() const;

    py::array array_;
    Dtype dtype_;
    std::optional<py::array> source_;
};

// Whatever NumPy makes of the value, of any dtype.
py::array numpy_view(py::handle value, const char* place, const char* name);

// `name` is the operand's name in messages, `place` the function or class that was called. With a dtype, an
// array of another one is a TypeError; a list, which has none, is converted to it.
Array input_array(py::handle value, const char* place, const char* name,
                  std::optional<Dtype> dtype = std::nullopt);

// The same for an array that is written in place: no copy can stand in for it.
Array parameter_array(py::handle value, const char* place, const char* name,
                      std::optional<Dtype> dtype = std::nullopt);

Array new_array(const std::vector<py::ssize_t>& shape, Dtype dtype);
std::vector<py::ssize_t> shape_of(const Array& array);

// The caller's out=, checked, or a new array where it is None. It must not share memory with `inputs`; with
// in_place it may be exactly one of them.
Array output_array(py::handle out, const std::vector<py::ssize_t>& shape, Dtype dtype, const char* place,
                   std::initializer_list<const Array*> inputs, bool in_place = false);

std::string shape_text(const Array& array);
std::string shape_text(const std::vector<py::ssize_t>& shape);

// A finite number, as TypeError or ValueError otherwise.
double finite_number(py::handle value, const char* place, const char* name);

void require_shape(const Array& array, const std::vector<py::ssize_t>& shape, const char* place,
                   const char* name, const char* like_name);
void require_same_shape(const Array& array, const Array& like, const char* place, const char* name,
                        const char* like_name);

// Calls body(T()) with the element type of dtype.
template <class Body>
auto with_type(Dtype dtype, Body body) {
    return dtype == Dtype::float32 ? body(float{}) : body(double{});
}

// The enum value of a name. Names come from this package's own Python files.
template <class Enum, std::size_t N>
Enum named(const Named<Enum> (&known)[N], const std::string& name) {
    for (const Named<Enum>& entry : known) {
        if (name == entry.name) return entry.value;
    }
    throw py::key_error("ne_torch._core: unknown name '" + name + "'");
}

// An activation with its numbers, rounded to T.
template <class T>
ActivationOptions<T> activation_options(const std::string& name, double first, double second) {
    return {named(kActivations, name), static_cast<T>(first), static_cast<T>(second)};
}

template <class Enum, std::size_t N>
const char* name_of(const Named<Enum> (&known)[N], Enum value) {
    for (const Named<Enum>& entry : known) {
        if (value == entry.value) return entry.name;
    }
    return "";
}

}  // namespace ne_torch
