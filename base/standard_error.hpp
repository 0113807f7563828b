// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace waggle {

/// What fmt::print(stderr, …) does, but for its exception: what cannot be written there (a full disk, a pipe that
/// nobody reads) is lost. There is nobody left to tell, and what the program was about to do goes on.
template <typename... Args>
void print_error(fmt::format_string<Args...> format, Args&&... args) {
  const auto text = fmt::format(format, std::forward<Args>(args)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

}  // namespace waggle
