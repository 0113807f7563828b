// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/record/json_text.hpp"
#include "harness/record/record.hpp"

namespace waggle::answers::testing {

/// A folder of its own for each case.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("answers-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  std::filesystem::path write(const std::string& name, const record::Record& record) const {
    return write(name, record::json_text(record::to_json(record)));
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace waggle::answers::testing
