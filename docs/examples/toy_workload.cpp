// SPDX-License-Identifier: BSD-2-Clause
#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

/// What a user can say of it: one line each, with type, unit, name, default, bounds and help.
struct ToyOptions {
  std::uint64_t laps = 3;
  std::uint64_t lap = 64 << 10;
};

const OptionTable<ToyOptions>& toy_options() {
  static const OptionTable<ToyOptions> table{
      {"laps", &ToyOptions::laps, OptionType::number(1, 1000), "times that the file is fetched"},
      {"lap_size", &ToyOptions::lap, OptionType::bytes(1, 1 << 20), "of the file"},
  };
  return table;
}

/// A whole workload: the same small file again and again. Copied to workloads/ and named in the meson.build there, it
/// can be listed, completed, run, compared and repeated with --like, with no other edit.
class Toy final : public Workload {
 public:
  std::string_view name() const override { return "toy"; }
  std::string_view summary() const override { return "an example: one small file, again and again"; }
  Traits traits() const override { return {.bulk = true, .reads_files = true, .file_size = "lap_size"}; }
  const std::vector<OptionInfo>& options() const override { return toy_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path&) const override {
    return make_random_file(served / kServedFile, toy_options().read(parameters.own).lap, parameters.seed);
  }

  Result<> prepare(const Context&) const override { return {}; }

  Result<Outcome> run(const Context& context) const override {
    Outcome outcome;
    outcome.start_ns = now_ns();
    for (std::uint64_t left = toy_options().read(context.parameters.own).laps; left > 0; --left) {
      WAGGLE_LET(moved, context.client.download(kServedFile, {.sink = Incoming::Sink::discard}));
      outcome.payload_bytes += moved.bytes;
      outcome.verify_ns += moved.verify_ns;
      outcome.latency_ns["lap"].record(moved.latency_ns);
      ++outcome.operations;
    }
    outcome.end_ns = now_ns();
    return outcome;
  }

  Result<> reset(const Context&) const override { return {}; }
};

const Registration toy_registration{std::make_unique<Toy>()};

}  // namespace
}  // namespace waggle::workloads
