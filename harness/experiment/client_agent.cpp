// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/granted.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/shared_progress.hpp"
#include "harness/experiment/side_usage.hpp"
#include "protocol/client.hpp"
#include "workloads/workload.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;
using workloads::Context;
using workloads::Outcome;

/// Holds the connections and runs the workload on them: in the main thread when there is one, otherwise one thread
/// each.
class ClientAgent final : public AgentRole {
 public:
  ClientAgent(const workloads::Workload& workload, workloads::Parameters parameters, std::filesystem::path local,
              SharedProgress progress)
      : workload_(workload),
        parameters_(std::move(parameters)),
        local_(std::move(local)),
        progress_(std::move(progress)) {}

  Result<> connect(const Datapath& datapath, const Endpoint& to, const ChannelOptions& options, DigestKind digest) {
    for (std::uint64_t i = 0; i < std::max<std::uint64_t>(1, parameters_.clients); ++i) {
      WAGGLE_LET(channel, datapath.connect(to, options));
      WAGGLE_LET(client, protocol::Client::open(std::move(channel), {.digest = digest, .progress = &progress_.get()}));
      clients_.push_back(std::move(client));
    }
    return {};
  }

  Result<json> handle(const std::string& what, const json& request) override {
    if (what == Prepare::kDo) {
      return answer<Prepare>(request, [&](const auto&) {
        return on_all([this](const Context& context) { return workload_.prepare(context); });
      });
    }
    if (what == RunWorkload::kDo) {
      return answer<RunWorkload>(request, [&](const RunWorkload& asked) { return run(asked.bin_ns); });
    }
    if (what == Reset::kDo) {
      return answer<Reset>(request, [&](const auto&) {
        return on_all([this](const Context& context) { return workload_.reset(context); });
      });
    }
    return fail(Fault::protocol, "a client agent cannot '" + what + "'");
  }

 private:
  using Step = std::function<Result<>(const Context&)>;

  Context context(std::uint64_t index) {
    return {.parameters = parameters_, .client = clients_[index], .local = local_, .index = index};
  }

  Result<> on_all(const Step& step) {
    return on_all(step, [] {}, [] {});
  }

  /// Takes a step on every connection at once. `before` is called when all threads stand ready, `after` when all are
  /// through. The first error ends the other connections and is returned.
  Result<> on_all(const Step& step, const std::function<void()>& before, const std::function<void()>& after) {
    if (clients_.size() == 1) {
      before();
      auto result = step(context(0));
      after();
      return result;
    }
    const auto threads = static_cast<std::ptrdiff_t>(clients_.size());
    std::latch ready(threads);
    std::latch go(1);
    std::latch done(threads);
    std::mutex mutex;
    Result<> first;
    std::atomic<bool> called_off = false;
    std::vector<std::jthread> running;
    const auto take = [&](std::uint64_t i) {
      running.emplace_back([&, i] {
        ready.count_down();
        go.wait();
        if (called_off) {
          return;
        }
        if (auto result = step(context(i)); !result) {
          const std::scoped_lock lock(mutex);
          if (first) {
            first = std::move(result);
            end_others(i);
          }
        }
        done.count_down();
      });
    };
    try {
      for (std::uint64_t i = 0; i < clients_.size(); ++i) {
        take(i);
      }
    } catch (const std::system_error& error) {
      called_off = true;
      go.count_down();
      running.clear();
      return fail(Fault::missing,
                  fmt::format("cannot start a thread for each of {} clients: {}", threads, error.what()),
                  "see `harness doctor` for the limits");
    }
    ready.wait();
    before();
    go.count_down();
    done.wait();
    after();
    running.clear();
    return first;
  }

  void end_others(std::uint64_t index) {
    for (std::uint64_t i = 0; i < clients_.size(); ++i) {
      if (i != index) {
        clients_[i].channel().abort();
      }
    }
  }

  record::Facts facts() { return recorded(clients_.front().channel().facts()); }

  SideUsage usage() {
    SideUsage now = read_usage(clients_.size() > 1);
    for (auto& client : clients_) {
      for (const auto& [counter, value] : client.channel().counters()) {
        now.counters[counter] += value;
      }
    }
    return now;
  }

  Result<ClientTold> run(std::uint64_t bin_ns) {
    std::vector<Outcome> outcomes(clients_.size());
    SideUsage before;
    SideUsage after;
    const record::Facts granted = facts();
    const auto start = [&] {
      Progress& progress = progress_.get();
      progress.bytes = 0;
      progress.bin_ns = bin_ns;
      before = usage();
      progress.start_ns = now_ns();
    };
    const auto end = [&] { after = usage(); };
    const auto step = [&](const Context& context) -> Result<> {
      WAGGLE_LET(outcome, workload_.run(context));
      outcomes[context.index] = std::move(outcome);
      return {};
    };
    WAGGLE_TRY(on_all(step, start, end));
    Outcome total;
    for (const Outcome& outcome : outcomes) {
      total.merge(outcome);
    }
    after.peak_memory_bytes = peak_memory();
    ClientTold told = told_of(total);
    told.usage = recorded(after.since(before));
    told.facts = since(granted, facts());
    return told;
  }

  static ClientTold told_of(const Outcome& outcome) {
    ClientTold told;
    told.start_ns = outcome.start_ns;
    told.end_ns = outcome.end_ns;
    told.payload_bytes = outcome.payload_bytes;
    told.operations = outcome.operations;
    told.verify_ns = outcome.verify_ns;
    for (const auto& [operation, histogram] : outcome.latency_ns) {
      if (histogram.count() > 0) {
        told.latency_ns[operation] = recorded(histogram);
      }
    }
    return told;
  }

  const workloads::Workload& workload_;
  workloads::Parameters parameters_;
  std::filesystem::path local_;
  SharedProgress progress_;
  std::vector<protocol::Client> clients_;
};

}  // namespace

Result<Started> start_client(const json& request) {
  WAGGLE_LET(start, read_request<StartClient>(request));
  WAGGLE_LET(workload, workloads::find_workload(start.workload));
  WAGGLE_LET(datapath, find_datapath(start.datapath));
  WAGGLE_LET(progress, SharedProgress::open(start.progress_fd));
  WAGGLE_LET(digest, parse_digest_kind(start.digest));
  WAGGLE_LET(options, channel_options_of(start));
  WAGGLE_LET(parameters, parameters_from_json(*workload, start.parameters.members));
  auto role = std::make_unique<ClientAgent>(*workload, std::move(parameters), start.local, std::move(progress));
  WAGGLE_TRY(role->connect(*datapath, {.host = start.address, .port = start.port}, options, digest));
  return Started{.role = std::move(role)};
}

}  // namespace waggle::experiment
