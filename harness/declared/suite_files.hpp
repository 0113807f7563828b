// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace waggle::declared {

/// Where the suites are that come with the program: of an installed one in share/waggle/suites, otherwise next to the
/// sources. Empty when there is none.
std::filesystem::path shipped_suites();

/// All suites in a folder, by name.
std::vector<std::filesystem::path> suites_in(const std::filesystem::path& folder);

/// The file of a suite: what has a slash or ends in ".toml" is a file itself, anything else the name of one in `near`
/// or of one that comes with the program. Fault::usage with the nearest name.
Result<std::filesystem::path> find_suite(std::string_view name, const std::filesystem::path& near = {});

}  // namespace waggle::declared
