// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace waggle::measure {

/// First line of a file of /proc or /sys, tabs as spaces; "" when there is none.
inline std::string line_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::ranges::replace(line, '\t', ' ');
  return line;
}

}  // namespace waggle::measure
