// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.hpp"

namespace waggle::measure {

/// The git revision that this program was built from: {"revision": hex, "dirty": bool}; revision "" outside git.
nlohmann::json revision();

/// What a measurement on this machine depends on: kernel, CPU, mitigations, governor, huge pages, clock source, memory,
/// versions of the libraries built against, congestion control, sysctls. net.* are those of the calling thread's
/// network namespace. What the machine does not tell is left out.
nlohmann::json environment();

/// Facts of a network device of the calling thread's network namespace: MTU, driver, queues, and every offload that is
/// on (ethtool ioctls, linux/ethtool.h). Fault::not_found when there is no such device.
Result<nlohmann::json> interface_facts(const std::string& device);

}  // namespace waggle::measure
