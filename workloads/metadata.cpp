// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include "base/clock.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

struct MetadataOptions {
  std::uint64_t count = 2000;
};

const OptionTable<MetadataOptions>& metadata_options() {
  static const OptionTable<MetadataOptions> table{
      {"count", &MetadataOptions::count, OptionType::number(1), "rounds"},
  };
  return table;
}

template <typename Operation>
auto timed(Outcome& outcome, const char* name, Operation&& operation) {
  const std::uint64_t before = now_ns();
  auto result = operation();
  outcome.latency_ns[name].record(now_ns() - before);
  ++outcome.operations;
  return result;
}

/// Rounds of create, getattr, rename, truncate and remove, each a round trip (F3 of the documents).
class Metadata final : public Workload {
 public:
  std::string_view name() const override { return "metadata"; }
  std::string_view summary() const override { return "create, getattr, rename, truncate, remove, one after another"; }
  Traits traits() const override { return {}; }
  const std::vector<OptionInfo>& options() const override { return metadata_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }

  Result<> prepare(const Context& context) const override { return context.client.mkdir(directory(context), 0755); }

  Result<Outcome> run(const Context& context) const override {
    const std::uint64_t rounds = metadata_options().read(context.parameters.own).count;
    const std::string base = directory(context);
    Outcome outcome;
    outcome.start_ns = now_ns();
    for (std::uint64_t i = 0; i < rounds; ++i) {
      const std::string file = fmt::format("{}/f{}", base, i);
      const std::string renamed = fmt::format("{}/g{}", base, i);
      auto& client = context.client;
      WAGGLE_TRY(timed(outcome, "create", [&] { return client.create_empty(file, 0644); }));
      WAGGLE_TRY(timed(outcome, "getattr", [&] { return client.getattr(file); }));
      WAGGLE_TRY(timed(outcome, "rename", [&] { return client.rename(file, renamed); }));
      WAGGLE_TRY(timed(outcome, "truncate", [&] { return client.truncate(renamed, 4096); }));
      WAGGLE_TRY(timed(outcome, "remove", [&] { return client.remove(renamed); }));
    }
    outcome.end_ns = now_ns();
    return outcome;
  }

  Result<> reset(const Context& context) const override { return context.client.remove(directory(context)); }

 private:
  static std::string directory(const Context& context) { return fmt::format("metadata-{}", context.index); }
};

const Registration metadata_registration{std::make_unique<Metadata>()};

}  // namespace
}  // namespace waggle::workloads
