// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace waggle::verdict::testing {

/// A file with some text, in a directory of its own for as long as it lives.
class TextFile {
 public:
  TextFile(std::string_view name, std::string_view text) {
    const char* place = std::getenv("TMPDIR");
    directory_ = std::filesystem::path(place != nullptr ? place : "/tmp") / ("verdict-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory_);
    path_ = directory_ / name;
    std::ofstream(path_) << text;
  }
  ~TextFile() { std::filesystem::remove_all(directory_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path directory_;
  std::filesystem::path path_;
};

/// A file or folder of the source tree.
inline std::filesystem::path in_source(std::string_view name) {
  const char* source = std::getenv("WAGGLE_SOURCE");
  return std::filesystem::path(source != nullptr ? source : ".") / name;
}

}  // namespace waggle::verdict::testing
