// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/testing/folder.hpp"

namespace waggle::verdict::testing {

/// A file with some text, for as long as it lives.
class TextFile {
 public:
  TextFile(std::string_view name, std::string_view text) : path_(folder_.write(name, text)) {}
  const std::filesystem::path& path() const { return path_; }

 private:
  test::Folder folder_;
  std::filesystem::path path_;
};

/// A file or folder of the source tree.
inline std::filesystem::path in_source(std::string_view name) {
  const char* source = std::getenv("WAGGLE_SOURCE");
  return std::filesystem::path(source != nullptr ? source : ".") / name;
}

}  // namespace waggle::verdict::testing
