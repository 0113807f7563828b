// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/extremes.hpp"

#include <algorithm>

namespace waggle::report {
namespace {

/// `of` tells the figure of a run, or nothing.
std::optional<Extremes> over(const std::vector<const record::Run*>& runs, const auto& of) {
  std::optional<Extremes> found;
  for (const auto* run : runs) {
    if (const std::optional<double> value = of(*run)) {
      found = found ? Extremes{std::min(found->low, *value), std::max(found->high, *value)} : Extremes{*value, *value};
    }
  }
  return found;
}

double units_of(const record::Run& run, Per per) {
  constexpr double kMebibyte = 1024.0 * 1024;
  return per == Per::mebibyte    ? static_cast<double>(run.payload_bytes) / kMebibyte
         : per == Per::operation ? static_cast<double>(run.operations)
                                 : 1;
}

/// The sum over the parties with this role; nothing when there is none.
std::optional<double> over_parties(const auto& parties, std::optional<record::Role> role, const auto& of) {
  std::optional<double> sum;
  for (const auto& party : parties) {
    if (!role || party.role == *role) {
      sum = sum.value_or(0) + static_cast<double>(of(party));
    }
  }
  return sum;
}

}  // namespace

std::optional<Extremes> sum(const std::optional<Extremes>& a, const std::optional<Extremes>& b) {
  return a && b ? std::optional(Extremes{a->low + b->low, a->high + b->high}) : std::nullopt;
}

std::vector<const record::Run*> probed_runs(const record::Contestant& contestant) {
  std::vector<const record::Run*> runs;
  for (const auto& run : contestant.runs) {
    if (run.kind == record::Kind::probed && run.ok() && run.trace) {
      runs.push_back(&run);
    }
  }
  return runs;
}

std::optional<Extremes> seen(const std::vector<const record::Run*>& probed, std::optional<record::Role> party,
                             std::uint64_t record::PartyTrace::* what, Per per) {
  return over(probed, [&](const record::Run& run) -> std::optional<double> {
    const auto count =
        over_parties(run.trace->parties, party, [&](const record::PartyTrace& each) { return each.*what; });
    const double units = units_of(run, per);
    return count && units > 0 ? std::optional(*count / units) : std::nullopt;
  });
}

std::optional<Extremes> copied(const std::vector<const record::Run*>& runs, record::Role party, record::Place place) {
  const auto bytes_in = [&](const record::Run& run) -> std::optional<double> {
    if (place == record::Place::user) {
      return over_parties(run.parties, party, [](const record::Party& each) { return each.usage.user_copied_bytes; });
    }
    return !run.trace ? std::nullopt : over_parties(run.trace->parties, party, [](const record::PartyTrace& each) {
      return each.kernel_copied_bytes;
    });
  };
  return over(runs, [&](const record::Run& run) -> std::optional<double> {
    const auto bytes = bytes_in(run);
    return bytes && run.payload_bytes > 0 ? std::optional(*bytes / static_cast<double>(run.payload_bytes))
                                          : std::nullopt;
  });
}

}  // namespace waggle::report
