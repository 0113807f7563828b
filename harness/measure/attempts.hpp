// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>

#include "base/result.hpp"

/// Single attempts to use what an experiment needs, for capabilities(). Each either works or says why it does not;
/// those that change anything are meant to be run in a child().
namespace waggle::measure::attempt {

/// Runs `attempt` in a child process, with which everything that it made goes away.
Result<> child(const std::function<Result<>()>& attempt);

Result<> network_namespace();
Result<> veth();
Result<> tmpfs(const char* options);  ///< mounted in a mount namespace of its own
Result<> openat2();
Result<> io_uring();
Result<> zerocopy();
Result<> cubic();
Result<> huge_page();
Result<> software_event();
Result<> drop_page_cache();

}  // namespace waggle::measure::attempt
