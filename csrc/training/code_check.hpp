// The first stage says which numbers of a sample are codes (functional/codes.hpp). A step that meets another
// one ends before anything has changed.
#pragma once

#include <atomic>
#include <optional>

#include "core/views.hpp"
#include "functional/codes.hpp"

namespace ne_torch {

template <class T>
class Member;
template <class T>
class Stage;

// The search for one in the blocks of a call of the engine, in its own copy of them.
template <class T>
class CodeCheck {
  public:
    void begin() {
        failed_ = false;
        found_.reset();
    }
    // Whether a block, feature-major, is without; every member is told the same, behind a barrier.
    bool passes(Member<T>& me, const Stage<T>& first, Matrix<T> block);

    bool failed() const { return failed_; }
    // The first by column, then by sample, when the members have come together again.
    const std::optional<WrongCode<T>>& found() const { return found_; }

  private:
    std::atomic<bool> failed_{false};
    std::optional<WrongCode<T>> found_;
};

}  // namespace ne_torch
