#include "training/stages/tabular_embedding.hpp"

#include <algorithm>

#include "core/partition.hpp"
#include "training/update_elements.hpp"

namespace ne_torch {
namespace {

template <class T>
index_t width_of(index_t in_features, const std::vector<Category<T>>& categories) {
    index_t width = in_features;
    for (const Category<T>& category : categories) width += category.dim - 1;
    return width;
}

template <class T>
void look_up(const Category<T>& category, index_t count, const T* codes, Matrix<T> output) {
    for (index_t b = 0; b < count; ++b) {
        const T* const row = category.weight.data + static_cast<index_t>(codes[b]) * category.dim;
        for (index_t d = 0; d < category.dim; ++d) *output.at(d, b) = row[d];
    }
}

// Adds to the gradient of some rows of the table.
template <class T>
void add_up(const Category<T>& category, Range rows, index_t count, const T* codes, Matrix<T> grad_output) {
    for (index_t b = 0; b < count; ++b) {
        const auto code = static_cast<index_t>(codes[b]);
        if (code < rows.begin || code >= rows.end) continue;
        T* const row = category.grad + code * category.dim;
        for (index_t d = 0; d < category.dim; ++d) row[d] += *grad_output.at(d, b);
    }
}

}  // namespace

template <class T>
TabularEmbeddingStage<T>::TabularEmbeddingStage(index_t in_features, std::vector<Category<T>> categories)
    : Stage<T>(in_features, width_of(in_features, categories)), categories_(std::move(categories)) {
    auto next = categories_.begin();
    for (index_t column = 0; column < in_features; ++column) {
        if (next != categories_.end() && next->column == column) {
            ++next;
        } else {
            numbers_.push_back(column);
        }
    }
}

template <class T>
std::optional<WrongCode<T>> TabularEmbeddingStage<T>::wrong_code(Matrix<const T> input, index_t count) const {
    for (const Category<T>& category : categories_) {
        const auto wrong =
            first_wrong_code(category.column, category.rows, count, input.at(category.column, 0), 1);
        if (wrong) return wrong;
    }
    return std::nullopt;
}

template <class T>
void TabularEmbeddingStage<T>::lay_out(Layout<T>& layout, const Extent& /*extent*/) {
    for (Category<T>& category : categories_) category.grad = layout.take(category.rows * category.dim);
}

template <class T>
void TabularEmbeddingStage<T>::forward(Member<T>& me, const Ends<T>& ends) {
    const index_t count = me.width();
    const Matrix<T> input = me.mine(ends.input);
    const Matrix<T> output = me.mine(ends.output);
    index_t first = 0;
    for (const index_t column : numbers_) std::copy_n(input.at(column, 0), count, output.at(first++, 0));
    for (const Category<T>& category : categories_) {
        look_up(category, count, input.at(category.column, 0), {output.at(first, 0), output.row_stride, 1});
        first += category.dim;
    }
}

template <class T>
void TabularEmbeddingStage<T>::update(Member<T>& me, const Ends<T>& ends) {
    auto first = static_cast<index_t>(numbers_.size());
    for (const Category<T>& category : categories_) {
        const Range rows = share_range(category.rows, 1, me.team.index, me.team.count);
        const Range elements{rows.begin * category.dim, rows.end * category.dim};
        if (me.block.first()) std::fill(category.grad + elements.begin, category.grad + elements.end, T(0));
        add_up(category, rows, me.block.rows, ends.input.at(category.column, 0),
               {ends.grad_output.at(first, 0), ends.grad_output.row_stride, 1});
        update_elements(me, category.weight, elements, category.grad);
        first += category.dim;
    }
}

template <class T>
void TabularEmbeddingStage<T>::list_gradients(std::vector<Gradient<T>>& gradients) const {
    for (const Category<T>& category : categories_) {
        gradients.push_back({category.weight, category.rows, category.dim, {category.grad, category.dim, 1}});
    }
}

template class TabularEmbeddingStage<float>;
template class TabularEmbeddingStage<double>;

}  // namespace ne_torch
