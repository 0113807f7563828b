// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.hpp"

namespace waggle::experiment {

/// What an agent does; see agent.hpp for the requests.
class AgentRole {
 public:
  virtual ~AgentRole() = default;
  /// Carries out one request other than "start" and "quit" and gives the answer's members.
  virtual Result<nlohmann::json> handle(const std::string& what, const nlohmann::json& request) = 0;
};

/// From a "start" request; `answer` members are reported with it.
struct Started {
  std::unique_ptr<AgentRole> role;
  std::unique_ptr<nlohmann::json> answer;
};
Result<Started> start_server(const nlohmann::json& request);
Result<Started> start_client(const nlohmann::json& request);
Result<Started> start_host(const nlohmann::json& request);

}  // namespace waggle::experiment
