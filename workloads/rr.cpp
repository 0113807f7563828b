// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <deque>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

/// Most bytes of requests and responses under way in open loop: what fits socket buffers, so that neither side blocks.
constexpr std::uint64_t kMostUnderWay = 64 * 1024;

/// Ping-pong of small messages. Closed loop: the next request follows the response. Open loop: requests are due at
/// fixed times, and latency counts from the due time, so that a stall is charged to every request that it delays.
class RequestResponse final : public Workload {
 public:
  std::string_view name() const override { return "rr"; }
  std::string_view summary() const override { return "request-response ping-pong, closed or open loop"; }
  std::vector<OptionInfo> options() const override {
    return {{"request", "bytes of a request (64)"},
            {"response", "bytes of a response (64)"},
            {"rate", "requests per second; 0: closed loop"},
            {"seconds", "length of a run (1)"}};
  }
  bool server_sends(const Parameters&) const override { return true; }
  bool bulk() const override { return false; }

  Result<> make_files(const Parameters&, const std::filesystem::path&, const std::filesystem::path&) const override {
    return {};
  }

  Result<> prepare(const Context& context) const override {
    const auto request = make_request(context);
    for (int i = 0; i < 1000; ++i) {
      WAGGLE_TRY(context.client.echo(request, context.parameters.response));
    }
    return {};
  }

  Result<Outcome> run(const Context& context) const override {
    return context.parameters.rate > 0 ? open_loop(context) : closed_loop(context);
  }

  Result<> reset(const Context&) const override { return {}; }

 private:
  static std::vector<std::byte> make_request(const Context& context) {
    std::vector<std::byte> request(context.parameters.request);
    Random(context.parameters.seed).fill(request);
    return request;
  }

  static void count(Outcome& outcome, const Parameters& parameters) {
    outcome.payload_bytes += parameters.request + parameters.response;
    ++outcome.operations;
  }

  static Result<Outcome> closed_loop(const Context& context) {
    const auto request = make_request(context);
    Outcome outcome;
    auto& latency = outcome.latency_ns["rr"];
    outcome.start_ns = now_ns();
    const auto end = outcome.start_ns + static_cast<std::uint64_t>(context.parameters.seconds * 1e9);
    for (outcome.end_ns = outcome.start_ns; outcome.end_ns < end; outcome.end_ns = now_ns()) {
      WAGGLE_LET(round_trip, context.client.echo(request, context.parameters.response));
      latency.record(round_trip);
      count(outcome, context.parameters);
    }
    return outcome;
  }

  static Result<Outcome> open_loop(const Context& context) {
    const auto& parameters = context.parameters;
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // due times are met to the microsecond, not to the default 50
    const auto request = make_request(context);
    const double period = 1e9 / parameters.rate;
    const auto total = static_cast<std::uint64_t>(parameters.seconds * parameters.rate);
    const auto most = std::max<std::uint64_t>(1, kMostUnderWay / (parameters.request + parameters.response + 1));
    Outcome outcome;
    auto& latency = outcome.latency_ns["rr"];
    std::deque<std::uint64_t> due;
    outcome.start_ns = now_ns();
    for (std::uint64_t sent = 0; sent < total || !due.empty();) {
      const std::uint64_t next = outcome.start_ns + static_cast<std::uint64_t>(static_cast<double>(sent) * period);
      const std::uint64_t now = now_ns();
      if (sent < total && next <= now && due.size() < most) {
        WAGGLE_TRY(context.client.echo_send(request, parameters.response));
        due.push_back(next);
        ++sent;
        continue;
      }
      const bool more = sent < total && due.size() < most;
      const auto patience = std::chrono::nanoseconds(more ? next - now : 1'000'000'000U);
      WAGGLE_LET(arrived, context.client.echo_wait(request, parameters.response, patience));
      if (arrived) {
        latency.record(now_ns() - due.front());
        due.pop_front();
        count(outcome, parameters);
      }
    }
    outcome.end_ns = now_ns();
    return outcome;
  }
};

const Registration rr_registration{std::make_unique<RequestResponse>()};

}  // namespace
}  // namespace waggle::workloads
