// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

namespace waggle::verdict {

/// Where something stands in a file; line and column are counted from 1.
struct FilePlace {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text() const;  ///< "FILE:LINE:COLUMN"
};

}  // namespace waggle::verdict
