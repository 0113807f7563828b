// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>

namespace waggle {

/// A file or folder that comes with the program: PREFIX/share/waggle/`name` beside an installed PREFIX/bin/harness,
/// or `source` in the tree that it was built from. It need not be there.
std::filesystem::path installed(const std::filesystem::path& name, const std::filesystem::path& source);

/// A file that the build makes: as above when the program is installed, otherwise `made` in the folder of its build.
std::filesystem::path built(const std::filesystem::path& name, const std::filesystem::path& made);

}  // namespace waggle
