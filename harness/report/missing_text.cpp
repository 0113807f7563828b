// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/missing_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace waggle::report {
namespace {

/// Whether there are timed runs, and none of them has what `has` looks for.
bool all_runs_lack(const record::Record& record, auto has) {
  bool any = false;
  for (const auto& contestant : record.contestants) {
    for (const auto& run : contestant.runs) {
      if (run.kind != record::Kind::timed || !run.ok()) {
        continue;
      }
      if (has(run)) {
        return false;
      }
      any = true;
    }
  }
  return any;
}

}  // namespace

std::string missing_text(const record::Record& record) {
  std::vector<std::string_view> missing;
  if (!record.placement) {
    missing.emplace_back("how far its CPUs were from each other");
  }
  if (all_runs_lack(record, [](const record::Run& run) { return run.conditions.has_value(); })) {
    missing.emplace_back("what the machine was like around each run");
  }
  if (all_runs_lack(record, [](const record::Run& run) { return run.round.has_value(); })) {
    missing.emplace_back("which runs belong to one round, so that nothing is compared in pairs");
  }
  return missing.empty() ? "" : fmt::format("An older record, which does not tell {}.", fmt::join(missing, "; nor "));
}

}  // namespace waggle::report
