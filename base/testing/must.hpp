// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <catch2/catch.hpp>
#include <type_traits>
#include <utility>

#include "base/result.hpp"

namespace waggle::test {

/// The value of a Result, whose error fails the test.
template <typename T>
T must(Result<T> result) {
  if (!result) {
    FAIL(result.error().text());
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

}  // namespace waggle::test
