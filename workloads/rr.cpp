// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <deque>

#include "base/clock.hpp"
#include "protocol/message_head.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

/// Most bytes of requests and responses under way in open loop: what fits socket buffers, so that neither side blocks.
constexpr std::uint64_t kMostUnderWay = 64 * 1024;
/// What one message holds of them: an ECHO says the length of the response, too.
constexpr std::uint64_t kMostResponse = kMaxMessage - protocol::kHeadSize;
constexpr std::uint64_t kMostRequest = kMostResponse - sizeof(std::uint32_t);
/// Requests per second whose due times the clock, which counts nanoseconds, can tell apart.
constexpr double kMostRate = 1e9;

struct RrOptions {
  std::uint64_t request = 64;
  std::uint64_t response = 64;
  double rate = 0;
  double seconds = 1;
};

const OptionTable<RrOptions>& rr_options() {
  static const OptionTable<RrOptions> table{
      {"request", &RrOptions::request, OptionType::bytes(0, kMostRequest), "of a request"},
      {"response", &RrOptions::response, OptionType::bytes(0, kMostResponse), "of a response"},
      {"rate", &RrOptions::rate, OptionType::rate(), "requests per second; 0 is closed loop"},
      {"seconds", &RrOptions::seconds, OptionType::seconds_above_zero(), "length of a run"},
  };
  return table;
}

/// Ping-pong of small messages. Closed loop: the next request follows the response. Open loop: requests are due at
/// fixed times, and latency counts from the due time, so that a stall is charged to every request that it delays.
class RequestResponse final : public Workload {
 public:
  std::string_view name() const override { return "rr"; }
  std::string_view summary() const override { return "request-response ping-pong, closed or open loop"; }
  Traits traits() const override { return {}; }
  const std::vector<OptionInfo>& options() const override { return rr_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }
  double lasts(const Parameters& parameters) const override { return rr_options().read(parameters.own).seconds; }

  Result<> check(const Parameters& parameters) const override {
    const RrOptions own = rr_options().read(parameters.own);
    if (own.rate > kMostRate) {
      return fail(Fault::usage, fmt::format("--rate={} is more than a clock of nanoseconds can tell apart", own.rate),
                  "choose --rate <= 1G");
    }
    return own.rate > 0 && own.rate * own.seconds < 1
               ? fail(Fault::usage, fmt::format("--rate={} makes no request in --seconds={}", own.rate, own.seconds),
                      "raise one of them, or leave out --rate for a closed loop")
               : Result<>();
  }

  Result<> prepare(const Context& context) const override {
    const RrOptions own = rr_options().read(context.parameters.own);
    const auto request = make_request(own, context.parameters.seed);
    for (int i = 0; i < 1000; ++i) {
      WAGGLE_TRY(context.client.echo(request, own.response));
    }
    return {};
  }

  Result<Outcome> run(const Context& context) const override {
    const RrOptions own = rr_options().read(context.parameters.own);
    const auto request = make_request(own, context.parameters.seed);
    return own.rate > 0 ? open_loop(context.client, own, request) : closed_loop(context.client, own, request);
  }

  Result<> reset(const Context&) const override { return {}; }

 private:
  static std::vector<std::byte> make_request(const RrOptions& own, std::uint64_t seed) {
    std::vector<std::byte> request(own.request);
    Random(seed).fill(request);
    return request;
  }

  static void count(Outcome& outcome, const RrOptions& own) {
    outcome.payload_bytes += own.request + own.response;
    ++outcome.operations;
  }

  static Result<Outcome> closed_loop(protocol::Client& client, const RrOptions& own, ByteView request) {
    Outcome outcome;
    auto& latency = outcome.latency_ns["rr"];
    outcome.start_ns = now_ns();
    const auto end = outcome.start_ns + static_cast<std::uint64_t>(own.seconds * 1e9);
    for (outcome.end_ns = outcome.start_ns; outcome.end_ns < end; outcome.end_ns = now_ns()) {
      WAGGLE_LET(round_trip, client.echo(request, own.response));
      latency.record(round_trip);
      count(outcome, own);
    }
    return outcome;
  }

  static Result<Outcome> open_loop(protocol::Client& client, const RrOptions& own, ByteView request) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // due times are met to the microsecond, not to the default 50
    const double period = 1e9 / own.rate;
    const auto total = static_cast<std::uint64_t>(own.seconds * own.rate);
    const auto most = std::max<std::uint64_t>(1, kMostUnderWay / (own.request + own.response + 1));
    Outcome outcome;
    auto& latency = outcome.latency_ns["rr"];
    std::deque<std::uint64_t> due;
    outcome.start_ns = now_ns();
    for (std::uint64_t sent = 0; sent < total || !due.empty();) {
      const std::uint64_t next = outcome.start_ns + static_cast<std::uint64_t>(static_cast<double>(sent) * period);
      const std::uint64_t now = now_ns();
      if (sent < total && next <= now && due.size() < most) {
        WAGGLE_TRY(client.echo_send(request, own.response));
        due.push_back(next);
        ++sent;
        continue;
      }
      const bool more = sent < total && due.size() < most;
      const auto patience = std::chrono::nanoseconds(more ? next - now : 1'000'000'000U);
      WAGGLE_LET(arrived, client.echo_wait(request, own.response, patience));
      if (arrived) {
        latency.record(now_ns() - due.front());
        due.pop_front();
        count(outcome, own);
      }
    }
    outcome.end_ns = now_ns();
    return outcome;
  }
};

const Registration rr_registration{std::make_unique<RequestResponse>()};

}  // namespace
}  // namespace waggle::workloads
