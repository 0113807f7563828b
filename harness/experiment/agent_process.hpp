// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "harness/experiment/agent.hpp"
#include "harness/experiment/control.hpp"
#include "harness/experiment/interrupt.hpp"

namespace waggle::experiment {

struct AgentOptions {
  std::string name;    ///< for messages: "server", "client", "host"
  int network = -1;    ///< network namespace to run in; -1: the caller's
  int cpu = -1;        ///< the only CPU to run on; -1: any
  int inherited = -1;  ///< one more descriptor that it keeps under the same number; -1: none
};

/// An agent that is a child process that is killed with this object, with the thread that started it,
/// and by nothing else (it is in a process group of its own, so Ctrl-C does not reach it).
class AgentProcess final : public Agent {
 public:
  static Result<AgentProcess> start(const AgentOptions& options);
  AgentProcess(AgentProcess&& other) noexcept;
  AgentProcess& operator=(AgentProcess&&) = delete;
  ~AgentProcess() override;

  pid_t pid() const { return pid_; }

  /// Lets it end in order; an error when it fails to.
  Result<> quit(Interrupt& interrupt);
  Result<> check() override;

 private:
  Result<nlohmann::json> call(nlohmann::json request, Interrupt& interrupt, const Patience& patience) override;
  AgentProcess(std::string name, pid_t pid, UniqueFd pidfd, Control control);
  /// check() of an agent whose socket has closed, which it does a moment before it can be waited for.
  Result<> death();
  Result<> wait_readable(const std::string& what, Interrupt& interrupt, const Patience& patience);

  std::string name_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  Control control_;
  std::uint64_t last_id_ = 0;
  std::string death_;
};

}  // namespace waggle::experiment
