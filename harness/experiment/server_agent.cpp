// SPDX-License-Identifier: BSD-2-Clause
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/granted.hpp"
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
    if (what == "mark") {
      return mark(request.value("end", false));
    }
    return fail(Fault::protocol, "a server agent cannot '" + what + "'");
  }

 private:
  Result<json> mark(bool end) {
    SideUsage now = read_usage(true);
    now.counters = server_.counters();
    if (!end) {
      before_ = std::move(now);
      granted_ = to_json(server_.facts());
      return json::object();
    }
    now.peak_memory_bytes = peak_memory();
    return json{{"usage", to_json(now.since(before_))}, {"facts", since(granted_, to_json(server_.facts()))}};
  }

  store::RootedStore store_;
  protocol::Server server_;
  SideUsage before_;
  json granted_;
};

}  // namespace

Result<Started> start_server(const json& request) {
  WAGGLE_LET(store, store::RootedStore::open(request.at("served").get<std::string>()));
  WAGGLE_LET(datapath, find_datapath(request.at("datapath").get<std::string>()));
  WAGGLE_LET(options, channel_from_json(request.at("channel")));
  options.receive_with = request.at("receive_with").get<std::string>();
  WAGGLE_LET(listener, datapath->listen({.host = request.at("address").get<std::string>(), .port = 0}, options));
  auto role = std::make_unique<ServerAgent>(std::move(store), std::move(listener));
  auto answer = std::make_unique<json>(json{{"port", role->port()}});
  return Started{std::move(role), std::move(answer)};
}

}  // namespace waggle::experiment
