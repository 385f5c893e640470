#include "training/code_check.hpp"

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
bool CodeCheck<T>::passes(Member<T>& me, const Stage<T>& first, Matrix<T> block) {
    if (!first.takes_codes()) return true;
    if (first.wrong_code(read(me.mine(block)), me.width())) failed_ = true;
    me.team.barrier();
    if (!failed_) return true;
    if (me.team.index == 0) found_ = first.wrong_code(read(block), me.block.rows);
    return false;
}

template class CodeCheck<float>;
template class CodeCheck<double>;

}  // namespace ne_torch
