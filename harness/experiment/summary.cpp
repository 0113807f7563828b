// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/summary.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/histogram.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/record/metric.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::experiment {
namespace {

using record::Grade;
using record::Kind;
using record::Place;
using Value = std::function<double(const record::Run& run)>;

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kTolerance = 0.05;
/// Message headers are copied as well and count as copies; from this much payload per operation on they are far below
/// the tolerance, so that a difference means something.
constexpr double kLeastPayload = 64 * 1024;
constexpr std::array kPlaces{Place::kernel, Place::user};

/// A figure of a run, of what one of its parties used, and of what probes saw of it.
template <typename T>
Value figure(T record::Measured::* member) {
  return [member](const record::Run& run) { return static_cast<double>(run.*member); };
}
template <typename T>
Value used(std::size_t party, T record::Usage::* member) {
  return [=](const record::Run& run) { return static_cast<double>(run.parties.at(party).usage.*member); };
}
template <typename T>
Value seen(std::size_t party, T record::PartyTrace::* member) {
  return [=](const record::Run& run) { return static_cast<double>(run.trace->parties.at(party).*member); };
}

Value cpu_of(std::size_t party) {
  return [=](const record::Run& run) { return run.parties.at(party).usage.cpu_s(); };
}
double cpu_of_all(const record::Run& run) {
  return run.cpu_s();
}
double cpu_of_machine(const record::Run& run) {
  return run.machine.busy_s;
}

/// Some of the runs.
class Runs {
 public:
  Runs(const std::vector<record::Run>& all, const std::function<bool(const record::Run& run)>& belongs) {
    for (const record::Run& run : all) {
      if (belongs(run)) {
        runs_.push_back(&run);
      }
    }
  }
  bool empty() const { return runs_.empty(); }
  std::vector<double> values(const Value& value) const {
    std::vector<double> list;
    for (const record::Run* run : runs_) {
      list.push_back(value(*run));
    }
    return list;
  }
  double median_of(const Value& value) const { return statistics::median(values(value)); }
  /// Nothing when there are no runs.
  std::optional<double> any_median_of(const Value& value) const {
    return empty() ? std::nullopt : std::optional(median_of(value));
  }
  double sum_of(const Value& value) const {
    double sum = 0;
    for (const double each : values(value)) {
      sum += each;
    }
    return sum;
  }
  record::Interval interval(const Value& value) const { return covered_interval(values(value)); }
  bool all_have(const Value& value) const {
    return std::ranges::none_of(runs_, [&](const record::Run* run) { return value(*run) == 0; });
  }
  const std::vector<const record::Run*>& all() const { return runs_; }

 private:
  std::vector<const record::Run*> runs_;
};

/// CPU time divided by some work of the run (payload in GiB, or operations, or its length).
class CostPer {
 public:
  CostPer(const Runs& runs, Value work, double unit) : runs_(runs), work_(std::move(work)), unit_(unit) {}
  /// False when there was none.
  bool exists() const { return runs_.all_have(work_); }
  record::Interval of(const Value& seconds) const {
    return runs_.interval([&](const record::Run& run) { return seconds(run) / work_(run) * unit_; });
  }
  record::Cost all() const { return {.processes = of(cpu_of_all), .machine = of(cpu_of_machine)}; }

 private:
  const Runs& runs_;
  Value work_;
  double unit_;
};

/// Counts that only the datapath knows, by name.
record::Amounts counters(const Runs& runs, std::size_t party) {
  std::set<std::string> names;
  for (const record::Run* run : runs.all()) {
    for (const auto& [name, count] : run->parties.at(party).usage.counters) {
      names.insert(name);
    }
  }
  record::Amounts medians;
  for (const std::string& name : names) {
    medians[name] = runs.median_of([&](const record::Run& run) {
      const auto& counted = run.parties.at(party).usage.counters;
      const auto found = counted.find(name);
      return found == counted.end() ? 0.0 : static_cast<double>(found->second);
    });
  }
  return medians;
}

/// The worst of them: a figure made from several runs is no better.
Grade grade_of(const Runs& probed) {
  const auto traced = [](const record::Run* run) { return run->trace->grade == Grade::traced; };
  return probed.empty() ? Grade::modelled : std::ranges::any_of(probed.all(), traced) ? Grade::traced : Grade::counted;
}

/// False when a party moved payload in a way whose copies no tracepoint tells of: then only the model knows.
bool sees_all(const Runs& probed, std::size_t party) {
  return std::ranges::all_of(probed.all(),
                             [&](const record::Run* run) { return run->trace->parties.at(party).unseen.empty(); });
}

/// Copies of one party at each place, measured beside modelled.
record::Copies copies_of(const Runs& timed, const Runs& probed, std::size_t party, const record::Model& model) {
  const double traced_payload = probed.sum_of(figure(&record::Measured::payload_bytes));
  const double timed_payload = timed.sum_of(figure(&record::Measured::payload_bytes));
  record::Copies copies;
  if (traced_payload > 0 && sees_all(probed, party)) {
    copies.kernel.measured = probed.sum_of(seen(party, &record::PartyTrace::kernel_copied_bytes)) / traced_payload;
    copies.kernel.verification =
        probed.sum_of(seen(party, &record::PartyTrace::verification_copied_bytes)) / traced_payload;
    copies.kernel.grade = grade_of(probed);
  }
  // What somebody else's code copies passes no function that counts.
  if (timed_payload > 0 && model.uncounted.empty()) {
    copies.user.measured = timed.sum_of(used(party, &record::Usage::user_copied_bytes)) / timed_payload;
    copies.user.grade = Grade::counted;
  }
  copies.kernel.modelled = model.kernel;
  copies.user.modelled = model.user;
  copies.kernel.because = copies.user.because = model.because;
  return copies;
}

record::AllCopies total_copies(const std::vector<record::PartySummary>& parties) {
  record::AllCopies total{.measured = 0.0, .grade = Grade::counted};
  for (const record::PartySummary& party : parties) {
    for (const Place place : kPlaces) {
      const record::CopiesPlace& at = party.copies.at(place);
      total.modelled += at.modelled;
      total.measured = total.measured && at.measured ? std::optional(*total.measured + *at.measured) : std::nullopt;
      total.grade = std::max(total.grade, at.grade);
    }
  }
  total.grade = total.measured ? total.grade : Grade::modelled;
  return total;
}

std::vector<record::Disagreement> disagreements(const std::vector<record::PartySummary>& parties) {
  std::vector<record::Disagreement> list;
  for (const record::PartySummary& party : parties) {
    for (const Place place : kPlaces) {
      const record::CopiesPlace& at = party.copies.at(place);
      if (!at.measured) {
        continue;
      }
      const double difference = at.modelled > 0 ? (*at.measured - at.modelled) / at.modelled : *at.measured;
      if (std::abs(difference) > kTolerance) {
        list.push_back({.role = party.role,
                        .place = place,
                        .measured = *at.measured,
                        .modelled = at.modelled,
                        .difference = difference});
      }
    }
  }
  return list;
}

record::Latencies merged_latency(const Runs& runs) {
  std::map<std::string, Histogram> merged;
  for (const record::Run* run : runs.all()) {
    for (const auto& [operation, distribution] : run->latency_ns) {
      merge(merged[operation], distribution);
    }
  }
  record::Latencies latency;
  for (const auto& [operation, histogram] : merged) {
    latency[operation] = recorded(histogram);
  }
  return latency;
}

std::optional<record::ProbeCost> probe_cost(const Runs& timed, const Runs& probed) {
  if (probed.empty()) {
    return std::nullopt;
  }
  // Time per operation: a workload that runs for a fixed time does less in it when probed.
  const Value each = [](const record::Run& run) {
    return run.seconds / std::max(1.0, static_cast<double>(run.operations));
  };
  return record::ProbeCost{.timed_seconds = timed.median_of(figure(&record::Measured::seconds)),
                           .probed_seconds = probed.median_of(figure(&record::Measured::seconds)),
                           .slowdown = probed.median_of(each) / timed.median_of(each) - 1};
}

record::PartySummary of_party(const Runs& timed, const Runs& probed, std::size_t party,
                              const record::Participant& who) {
  record::PartySummary sum{.role = who.role};
  sum.copies = copies_of(timed, probed, party, who.model.value_or(record::Model{}));
  sum.system_calls = probed.any_median_of(seen(party, &record::PartyTrace::system_calls));
  sum.mode_switches = probed.any_median_of(seen(party, &record::PartyTrace::mode_switches));
  sum.context_switches = {.voluntary = timed.median_of(used(party, &record::Usage::voluntary_switches)),
                          .involuntary = timed.median_of(used(party, &record::Usage::involuntary_switches))};
  sum.page_faults = {.minor = timed.median_of(used(party, &record::Usage::minor_faults)),
                     .major = timed.median_of(used(party, &record::Usage::major_faults))};
  sum.peak_memory_bytes = std::ranges::max(timed.values(used(party, &record::Usage::peak_memory_bytes)));
  sum.counters = counters(timed, party);
  return sum;
}

}  // namespace

record::Interval covered_interval(const std::vector<double>& values, std::size_t comparisons) {
  record::Interval interval = statistics::interval_of(values, comparisons);
  if (!interval.low) {
    interval.coverage.reset();
  }
  return interval;
}

record::Summary summarise(const std::vector<record::Run>& runs, const std::vector<record::Participant>& parties,
                          std::uint64_t clients, record::Stop stopped, std::optional<std::size_t> group) {
  const Runs timed(runs, [&](const record::Run& run) { return counts(run, group); });
  const Runs probed(runs, [](const record::Run& run) { return run.kind == Kind::probed && run.ok() && run.trace; });
  record::Summary sum;
  for (std::size_t party = 0; party < parties.size(); ++party) {
    sum.parties.push_back(of_party(timed, probed, party, parties[party]));
  }
  const auto add = [&](const CostPer& cost, auto of_all, auto of_each) {
    if (cost.exists()) {
      sum.*of_all = cost.all();
      for (std::size_t party = 0; party < parties.size(); ++party) {
        sum.parties[party].*of_each = cost.of(cpu_of(party));
      }
    }
  };
  const Value operations = figure(&record::Measured::operations);
  const Value payload = figure(&record::Measured::payload_bytes);
  add({timed, [&](const record::Run& run) { return payload(run) / kGiB; }, 1}, &record::Summary::cpu_seconds_per_gib,
      &record::PartySummary::cpu_seconds_per_gib);
  add({timed, operations, 1e6}, &record::Summary::cpu_microseconds_per_operation,
      &record::PartySummary::cpu_microseconds_per_operation);
  add({timed, figure(&record::Measured::seconds), 1}, &record::Summary::cpu_share, &record::PartySummary::cpu_share);
  sum.stopped = stopped == record::Stop::no ? record::Stop::most_runs : stopped;
  sum.goodput_bits_per_second = timed.interval(figure(&record::Measured::goodput_bits_per_second));
  sum.operations_per_second = timed.interval(figure(&record::Measured::operations_per_second));
  sum.copies = total_copies(sum.parties);
  const double payload_per_operation = timed.sum_of(payload) / std::max(1.0, timed.sum_of(operations));
  if (payload_per_operation >= kLeastPayload) {
    sum.disagreements = disagreements(sum.parties);
  }
  sum.latency_ns = merged_latency(timed);
  sum.verify_share = timed.median_of([&](const record::Run& run) {
    return std::min(1.0, run.verify_seconds / (run.seconds * static_cast<double>(std::max<std::uint64_t>(1, clients))));
  });
  sum.tcp_retransmits =
      probed.any_median_of([](const record::Run& run) { return static_cast<double>(run.trace->tcp_retransmits); });
  sum.packets_dropped =
      probed.any_median_of([](const record::Run& run) { return static_cast<double>(run.trace->packets_dropped); });
  sum.probe_cost = probe_cost(timed, probed);
  return sum;
}

}  // namespace waggle::experiment
