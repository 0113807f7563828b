// SPDX-License-Identifier: BSD-2-Clause
#include "harness/declared/suite_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "base/files_in.hpp"
#include "base/installed.hpp"
#include "base/suggest.hpp"

namespace waggle::declared {

namespace fs = std::filesystem;

fs::path shipped_suites() {
  std::error_code error;
  const auto folder = installed("suites", "workloads/suites");
  return fs::is_directory(folder, error) ? folder : fs::path();
}

std::vector<fs::path> suites_in(const fs::path& folder) {
  return files_in(folder, ".toml");
}

Result<fs::path> find_suite(std::string_view name, const fs::path& near) {
  if (name.contains('/') || name.ends_with(".toml")) {
    return near / fs::path(name);  // which is `name` itself when that is absolute
  }
  std::vector<std::string> known;
  std::error_code error;
  for (const fs::path& folder : {near, shipped_suites()}) {
    if (folder.empty()) {
      continue;
    }
    fs::path file = folder / fmt::format("{}.toml", name);
    if (fs::is_regular_file(file, error)) {
      return file;
    }
    for (const fs::path& other : suites_in(folder)) {
      known.push_back(other.stem().string());
    }
  }
  const std::string nearest = suggest(name, known);
  return fail(Fault::usage, fmt::format("there is no suite '{}'", name),
              !nearest.empty() ? fmt::format("did you mean {}?", nearest)
              : known.empty()  ? "name a file of one, NAME.toml"
                               : fmt::format("choose one of: {}; or name a file, NAME.toml", fmt::join(known, ", ")));
}

}  // namespace waggle::declared
