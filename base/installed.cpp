// SPDX-License-Identifier: BSD-2-Clause
#include "base/installed.hpp"

#include <optional>
#include <system_error>

#include "base/installed_paths.hpp"

namespace waggle {
namespace {

namespace fs = std::filesystem;

/// The folder above the one that the program is in: PREFIX of PREFIX/bin/harness, the build of BUILD/harness/harness.
fs::path above_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
}

std::optional<fs::path> shared(const fs::path& name) {
  std::error_code error;
  const auto path = above_program() / "share/waggle" / name;
  return fs::exists(path, error) ? std::optional(path) : std::nullopt;
}

}  // namespace

fs::path installed(const fs::path& name, const fs::path& source) {
  return shared(name).value_or(fs::path(WAGGLE_SOURCE_TREE) / source);
}

fs::path built(const fs::path& name, const fs::path& made) {
  return shared(name).value_or(above_program() / made);
}

}  // namespace waggle
