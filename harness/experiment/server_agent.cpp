// SPDX-License-Identifier: BSD-2-Clause
#include <nlohmann/json.hpp>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/granted.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/side_usage.hpp"
#include "harness/store/rooted_store.hpp"
#include "protocol/server.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Serves in threads of protocol::Server; the main thread only answers the harness.
class ServerAgent final : public AgentRole {
 public:
  ServerAgent(store::RootedStore store, std::unique_ptr<Listener> listener)
      : store_(std::move(store)),
        server_(std::move(listener), [this] { return store_.connect(); }, protocol::ServerOptions{}) {}

  std::uint16_t port() const { return server_.endpoint().port; }

  Result<json> handle(const std::string& what, const json& request) override {
    if (what == BeginServing::kDo) {
      return answer<BeginServing>(request, [&](const auto&) { return begin(); });
    }
    if (what == EndServing::kDo) {
      return answer<EndServing>(request, [&](const auto&) { return end(); });
    }
    return fail(Fault::protocol, "a server agent cannot '" + what + "'");
  }

 private:
  Result<> begin() {
    before_ = usage();
    granted_ = recorded(server_.facts());
    return {};
  }

  Result<Told> end() {
    SideUsage now = usage();
    now.peak_memory_bytes = peak_memory();
    return Told{.usage = recorded(now.since(before_)), .facts = since(granted_, recorded(server_.facts()))};
  }

  SideUsage usage() {
    SideUsage now = read_usage(true);
    now.counters = server_.counters();
    return now;
  }

  store::RootedStore store_;
  protocol::Server server_;
  SideUsage before_;
  record::Facts granted_;
};

}  // namespace

Result<Started> start_server(const json& request) {
  WAGGLE_LET(start, read_request<StartServer>(request));
  WAGGLE_LET(store, store::RootedStore::open(start.served));
  WAGGLE_LET(datapath, find_datapath(start.datapath));
  WAGGLE_LET(options, channel_options_of(start));
  WAGGLE_LET(listener, datapath->listen({.host = start.address, .port = 0}, options));
  auto role = std::make_unique<ServerAgent>(std::move(store), std::move(listener));
  auto answer = record::write(StartServer::Answer{role->port()});
  return Started{std::move(role), std::move(answer)};
}

}  // namespace waggle::experiment
