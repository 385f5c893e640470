// TabularEmbedding, the first stage of a network: of each sample the numbers as they are, then for each
// category the row of its table.
//
//   forward  output[i, b]         = input[numbers[i], b]
//            output[first + d, b] = weight[code[b], d]
//   update   weight[code, d]      = update of it with sum over b ascending, of those with that code, of
//                                   grad_output[first + d, b]
//
// In phase 2 members share the rows of each table. Codes are looked up without a check: the engine has
// checked them, see code_check.hpp.
#pragma once

#include <vector>

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
struct Category {
    index_t column;     // of the input
    index_t rows;       // of the table
    index_t dim;        // columns of the table
    Learned<T> weight;  // (rows, dim)
    T* grad = nullptr;  // the same
};

template <class T>
class TabularEmbeddingStage final : public Stage<T> {
  public:
    // categories ascend by column
    TabularEmbeddingStage(index_t in_features, std::vector<Category<T>> categories);

    bool learns() const override { return !categories_.empty(); }
    bool reads_output() const override { return false; }
    bool takes_codes() const override { return !categories_.empty(); }
    std::optional<WrongCode<T>> wrong_code(Matrix<const T> input, index_t count) const override;
    void lay_out(Layout<T>& layout, const Extent& extent) override;
    void forward(Member<T>& me, const Ends<T>& ends) override;
    void backward(Member<T>& /*me*/, const Ends<T>& /*ends*/) override {}  // nothing is before it
    void update(Member<T>& me, const Ends<T>& ends) override;
    void list_gradients(std::vector<Gradient<T>>& gradients) const override;

  private:
    std::vector<Category<T>> categories_;
    std::vector<index_t> numbers_;  // the columns that are no categories
};

}  // namespace ne_torch
