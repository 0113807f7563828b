// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/agent_main.hpp"

#include <sys/prctl.h>

#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/control.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// A text of a request; empty when there is none.
std::string text_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Started> start(const json& request) {
  const std::string role = text_of(request, "role");
  if (role == StartServer::kRole) {
    return start_server(request);
  }
  if (role == StartClient::kRole) {
    return start_client(request);
  }
  if (role == StartHost::kRole) {
    return start_host(request);
  }
  return fail(Fault::protocol, "no agent has the role '" + role + "'");
}

json answer_of(const Result<json>& result) {
  if (!result) {
    return {{"error", error_to_json(result.error())}};
  }
  json answer = *result;
  answer["ok"] = true;
  return answer;
}

Result<json> handle(std::unique_ptr<AgentRole>& role, const std::string& what, const json& request) {
  if (what == StartHost::kDo) {
    WAGGLE_LET(started, start(request));
    role = std::move(started.role);
    return std::move(started.answer);
  }
  if (!role) {
    return fail(Fault::protocol, "an agent was asked to '" + what + "' before it was started");
  }
  return role->handle(what, request);
}

/// An exception is a bug of ours; the harness should hear of it, not only that the process is gone.
Result<json> handle_all(std::unique_ptr<AgentRole>& role, const std::string& what, const json& request) {
  try {
    return handle(role, what, request);
  } catch (const std::exception& error) {
    return fail(Fault::io, "an agent could not '" + what + "': " + error.what());
  }
}

}  // namespace

int agent_main(int argc, char** argv) {
  if (argc < 2) {
    return 2;
  }
  ::prctl(PR_SET_NAME, "harness-agent");  // otherwise profiles show "exe"
  Control control(UniqueFd(std::atoi(argv[1])), UniqueFd(argc > 2 ? std::atoi(argv[2]) : -1));
  std::unique_ptr<AgentRole> role;
  while (true) {
    const auto request = control.receive();
    if (!request || !request->is_object()) {
      return 1;
    }
    const std::string what = text_of(*request, "do");
    const bool quit = what == Quit::kDo;
    if (quit) {
      role.reset();
    }
    json answer = quit ? json{{"ok", true}} : answer_of(handle_all(role, what, *request));
    answer["id"] = request->value("id", json());
    if (!control.send(answer)) {
      return 1;
    }
    if (quit) {
      return 0;
    }
  }
}

}  // namespace waggle::experiment
