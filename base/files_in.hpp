// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace waggle {

/// The regular files in a folder whose names end like that (".json"), by name. A pipe is none of them, which would be
/// waited for, nor is a link that leads nowhere, such as an editor's lock. None where the folder cannot be read.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension);

}  // namespace waggle
