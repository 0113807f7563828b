// SPDX-License-Identifier: BSD-2-Clause
#include "base/clock.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

struct IdleOptions {
  double seconds = 1;
};

const OptionTable<IdleOptions>& idle_options() {
  static const OptionTable<IdleOptions> table{
      {"seconds", &IdleOptions::seconds, OptionType::seconds_above_zero(), "length of a run"},
  };
  return table;
}

/// An open connection of which nothing is asked: what it costs to wait. The client waits as for an answer, in the
/// datapath's own way, the server for a request.
class Idle final : public Workload {
 public:
  std::string_view name() const override { return "idle"; }
  std::string_view summary() const override { return "an open connection and nothing asked: the CPU it costs"; }
  Traits traits() const override { return {.idle = true}; }
  const std::vector<OptionInfo>& options() const override { return idle_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }
  double lasts(const Parameters& parameters) const override { return idle_options().read(parameters.own).seconds; }

  /// A little traffic, so that nothing of the set-up is still under way.
  Result<> prepare(const Context& context) const override {
    const std::vector<std::byte> request(kProof);
    for (int i = 0; i < 10; ++i) {
      WAGGLE_TRY(context.client.echo(request, kProof));
    }
    return {};
  }

  Result<Outcome> run(const Context& context) const override {
    Outcome outcome;
    outcome.start_ns = now_ns();
    const auto end = outcome.start_ns + static_cast<std::uint64_t>(lasts(context.parameters) * 1e9);
    for (std::uint64_t now = outcome.start_ns; now < end; now = now_ns()) {
      WAGGLE_TRY(context.client.echo_wait({}, 0, std::chrono::nanoseconds(end - now)));
    }
    outcome.end_ns = now_ns();
    return outcome;
  }

  /// The connection must have survived.
  Result<> reset(const Context& context) const override {
    WAGGLE_TRY(context.client.echo(std::vector<std::byte>(kProof), kProof));
    return {};
  }

 private:
  static constexpr std::size_t kProof = 64;  ///< bytes of a message that shows that the connection works
};

const Registration idle_registration{std::make_unique<Idle>()};

}  // namespace
}  // namespace waggle::workloads
