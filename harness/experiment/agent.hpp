// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "harness/experiment/interrupt.hpp"
#include "harness/experiment/requests.hpp"
#include "harness/record/archive.hpp"

/// Agents start, measure and clean up the parties of a host; the harness schedules, combines and judges. An agent is
/// the same program again, with a hidden first argument (agent_main.hpp), commanded over a byte stream (control.hpp):
/// one JSON request and one answer at a time. It ends when the stream is closed.
///
/// A request is {"do": NAME, "id": ANY, …}; its answer is {"ok": true, "id": THE SAME, …} or {"error": {fault, what,
/// hint, errno}, "id": …}, so that nobody takes the answer to one question for that to another. An error ends nothing;
/// what is no message does. requests.hpp has all of them. The first is {"do": "start", "role": ROLE, …}:
/// - "server" serves a directory through a datapath;
/// - "client" has the connections and runs the workload;
/// - "host" does for the harness what is to be done and measured on its host, so that a signal can end that at once.
namespace waggle::experiment {

/// How long to wait for an answer, and what to do meanwhile.
struct Patience {
  std::chrono::nanoseconds most = std::chrono::seconds(60);
  /// Called several times a second when set; true says that there is progress, which starts the time again.
  std::function<bool()> alive;
  /// Called as often when set; an error, which ask() returns, says that waiting has become useless.
  std::function<Result<>()> useless = {};
};

/// An agent as the harness reaches it.
class Agent {
 public:
  virtual ~Agent() = default;

  /// Long enough for questions about probes, which are loaded, attached and drained meanwhile: seconds, and many more
  /// on a busy machine.
  static constexpr std::chrono::minutes kProbing{5};

  /// Sends a request and returns the answer. Errors of the agent come back as they were; a dead agent is named with the
  /// way it died, a silent one is Fault::timeout, a signal to the harness Fault::cancelled.
  template <typename Request>
  Result<typename Request::Answer> ask(const Request& request, Interrupt& interrupt, const Patience& patience = {}) {
    nlohmann::json message = record::write(request);
    message["do"] = Request::kDo;
    if constexpr (requires { Request::kRole; }) {
      message["role"] = Request::kRole;
    }
    WAGGLE_LET(answer, call(message, interrupt, patience));
    return record::read<typename Request::Answer>(answer);
  }
  /// How it died, when it has.
  virtual Result<> check() = 0;

 private:
  /// ask() with messages. Sets the id.
  virtual Result<nlohmann::json> call(nlohmann::json request, Interrupt& interrupt, const Patience& patience) = 0;
};

}  // namespace waggle::experiment
