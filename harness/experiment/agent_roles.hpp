// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"
#include "harness/experiment/requests.hpp"
#include "harness/record/archive.hpp"

namespace waggle::experiment {

/// What an agent does; see agent.hpp.
class AgentRole {
 public:
  virtual ~AgentRole() = default;
  /// Carries out one request other than "start" and "quit" and gives the answer's members.
  virtual Result<nlohmann::json> handle(const std::string& what, const nlohmann::json& request) = 0;
};

/// A request of this type. Fault::protocol when it is none.
template <typename Request>
Result<Request> read_request(const nlohmann::json& request) {
  auto read = record::read<Request>(request);
  return read ? std::move(read) : fail(Fault::protocol, "a request that cannot be read: " + read.error().what);
}

/// Answers a request of this type with what `work` makes of it, which returns Result<Request::Answer>, or Result<>
/// where that is Done.
template <typename Request, typename Work>
Result<nlohmann::json> answer(const nlohmann::json& request, const Work& work) {
  WAGGLE_LET(asked, read_request<Request>(request));
  auto done = work(asked);
  if (!done) {
    return std::unexpected(std::move(done).error());
  }
  if constexpr (std::same_as<decltype(done), Result<>>) {
    return nlohmann::json::object();
  } else {
    return record::write(*done);
  }
}

/// From a "start" request; `answer` members are reported with it.
struct Started {
  std::unique_ptr<AgentRole> role;
  nlohmann::json answer = nlohmann::json::object();
};
Result<Started> start_server(const nlohmann::json& request);
Result<Started> start_client(const nlohmann::json& request);
Result<Started> start_host(const nlohmann::json& request);

}  // namespace waggle::experiment
