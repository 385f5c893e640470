#include "serving/lookup.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace ne_torch {

template <class T>
Lookup<T>::Lookup(index_t in_features, std::vector<FrozenTable<T>> tables)
    : in_features_(in_features), out_features_(in_features), tables_(std::move(tables)) {
    index_t next = 0;
    for (const FrozenTable<T>& table : tables_) {
        if (table.column < next || table.column >= in_features) {
            throw std::invalid_argument("Predictor: expected ascending columns from 0 to " +
                                        std::to_string(in_features - 1) + ", got " +
                                        std::to_string(table.column));
        }
        next = table.column + 1;
        out_features_ += table.dim - 1;
    }
}

template <class T>
bool Lookup<T>::knows(index_t rows, const T* x) const {
    // Row by row, which reads x once; column by column would read it once for each.
    for (const T* const end = x + rows * in_features_; x != end; x += in_features_) {
        for (const FrozenTable<T>& table : tables_) {
            if (row_of(x[table.column], table.rows) < 0) return false;
        }
    }
    return true;
}

template <class T>
std::optional<WrongCode<T>> Lookup<T>::wrong_code(index_t rows, const T* x) const {
    for (const FrozenTable<T>& table : tables_) {
        const auto wrong = first_wrong_code(table.column, table.rows, rows, x + table.column, in_features_);
        if (wrong) return wrong;
    }
    return std::nullopt;
}

template <class T>
void Lookup<T>::forward(index_t rows, Matrix<const T> x, Matrix<T> output) const {
    for (index_t b = 0; b < rows; ++b) {
        T* next = output.at(b, 0);
        index_t column = 0;
        for (const FrozenTable<T>& table : tables_) {
            next = std::copy(x.at(b, column), x.at(b, table.column), next);
            column = table.column + 1;
        }
        next = std::copy(x.at(b, column), x.at(b, in_features_), next);
        for (const FrozenTable<T>& table : tables_) {
            // Another thread of the caller may have written to x since the check: then any row will do.
            const index_t row = std::max<index_t>(row_of(*x.at(b, table.column), table.rows), 0);
            next = std::copy_n(table.data + row * table.dim, table.dim, next);
        }
    }
}

template class Lookup<float>;
template class Lookup<double>;

}  // namespace ne_torch
