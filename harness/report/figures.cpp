// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "harness/record/metric.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/report/run_figures.hpp"
#include "harness/report/usage.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::report {
namespace {

constexpr double kMebibyte = 1024.0 * 1024;

/// Collects the figures of one contestant.
class Collector {
 public:
  Collector(const record::Record& record, const record::Contestant& contestant)
      : record_(record),
        contestant_(contestant),
        summary_(*contestant.summary),
        counted_(counted_runs(record, contestant)),
        probed_(runs_of(contestant, record::Kind::probed)),
        traced_(probed_runs(contestant)) {}

  std::vector<Figure> all() && {
    of_runs();
    latencies();
    of_parties();
    copies();
    switches();
    counts();
    return std::move(figures_);
  }

 private:
  Figure& add(std::string name, std::string unit, std::optional<record::Role> party, record::Interval value) {
    return figures_.emplace_back(
        Figure{.name = std::move(name), .unit = std::move(unit), .party = party, .of = {}, .value = value});
  }

  /// What a party, or all of them together, used in each run that counts.
  std::vector<double> in_runs(std::optional<record::Role> role, const auto& of) const {
    std::vector<double> values;
    for (const auto* run : counted_) {
      double sum = 0;
      for (const auto& party : run->parties) {
        sum += !role || party.role == *role ? of(party.usage) : 0;
      }
      values.push_back(sum);
    }
    return values;
  }

  /// What the record says of it, where it does: the same as in its tables.
  std::optional<record::Interval> recorded(std::string_view name) const {
    const auto cost = [&](const std::optional<record::Cost>& one, record::Interval record::Cost::* part) {
      return one ? std::optional((*one).*part) : std::nullopt;
    };
    const auto& s = summary_;
    return name == "goodput"                     ? std::optional(s.goodput_bits_per_second)
           : name == "operations"                ? std::optional(s.operations_per_second)
           : name == "cpu.per_gib"               ? cost(s.cpu_seconds_per_gib, &record::Cost::processes)
           : name == "cpu.machine_per_gib"       ? cost(s.cpu_seconds_per_gib, &record::Cost::machine)
           : name == "cpu.per_operation"         ? cost(s.cpu_microseconds_per_operation, &record::Cost::processes)
           : name == "cpu.machine_per_operation" ? cost(s.cpu_microseconds_per_operation, &record::Cost::machine)
           : name == "cpu.share"                 ? std::optional(s.cpu_share.processes)
           : name == "cpu.machine_share"         ? std::optional(s.cpu_share.machine)
                                                 : std::nullopt;
  }

  std::optional<record::Interval> over_runs(const RunFigure& figure) const {
    std::vector<double> values;
    for (const auto* run : counted_) {
      if (const double value = figure.of(*run); std::isfinite(value)) {
        values.push_back(value);
      }
    }
    if (values.empty() || values.size() != counted_.size()) {
      return std::nullopt;
    }
    auto interval = statistics::interval_of(values);
    if (!interval.low) {
      interval.coverage.reset();
    }
    return interval;
  }

  void of_runs() {
    for (const auto& figure : run_figures()) {
      auto interval = recorded(figure.name);
      if (!interval) {
        interval = over_runs(figure);
      }
      if (interval) {
        add(std::string(figure.name), std::string(figure.unit), {}, *interval);
      }
    }
  }

  void latencies() {
    for (const auto& [operation, distribution] : summary_.latency_ns) {
      const auto at = percentiles(distribution);
      const auto samples = static_cast<std::size_t>(distribution.count);
      for (const auto& [name, value] :
           {std::pair("latency.p50", at.p50), std::pair("latency.p90", at.p90), std::pair("latency.p99", at.p99),
            std::pair("latency.p999", at.p999), std::pair("latency.max", at.max)}) {
        if (value) {
          add(name, "ns", {}, single(*value, samples)).of = operation;
        }
      }
    }
  }

  void of_parties() {
    for (const auto& party : summary_.parties) {
      if (party.cpu_seconds_per_gib) {
        add("cpu.per_gib", "s/GiB", party.role, *party.cpu_seconds_per_gib);
      }
      if (party.cpu_microseconds_per_operation) {
        add("cpu.per_operation", "us", party.role, *party.cpu_microseconds_per_operation);
      }
      add("cpu.share", "", party.role, party.cpu_share);
      add("memory", "B", party.role, spread(party.peak_memory_bytes, in_runs(party.role, peak_of)));
    }
  }

  void add_copies(std::optional<record::Role> party, std::optional<record::Place> place, double value,
                  record::Grade grade, std::optional<Extremes> extremes) {
    auto& figure = add("copies", "B/B", party, single(value, grade == record::Grade::modelled ? 0 : probed_));
    figure.place = place;
    figure.grade = grade;
    figure.extremes = extremes;
  }

  void add_modelled(std::optional<record::Role> party, std::optional<record::Place> place, double value) {
    auto& figure = add("copies.modelled", "B/B", party, single(value, 0));
    figure.place = place;
    figure.grade = record::Grade::modelled;
  }

  void copies() {
    std::optional<Extremes> of_all = Extremes{};
    for (const auto& party : summary_.parties) {
      double total = 0;
      std::optional<Extremes> of_party = Extremes{};
      auto worst = record::Grade::counted;
      for (const auto place : {record::Place::kernel, record::Place::user}) {
        const auto& at = party.copies.at(place);
        const double value = at.measured.value_or(at.modelled);
        const auto grade = at.measured ? at.grade : record::Grade::modelled;
        const auto& runs = place == record::Place::kernel ? traced_ : counted_;
        const auto here = at.measured ? copied(runs, party.role, place) : Extremes{value, value};
        total += value;
        worst = std::max(worst, grade);
        of_party = sum(of_party, here);
        add_copies(party.role, place, value, grade, here);
        add_modelled(party.role, place, at.modelled);
        if (at.verification) {
          add("copies.verification", "B/B", party.role, single(*at.verification, probed_)).place = place;
        }
      }
      of_all = sum(of_all, of_party);
      add_copies(party.role, {}, total, worst, of_party);
    }
    add_copies({}, {}, summary_.copies.measured.value_or(summary_.copies.modelled),
               summary_.copies.measured ? summary_.copies.grade : record::Grade::modelled, of_all);
    add_modelled({}, {}, summary_.copies.modelled);
  }

  /// A count of a probed or timed run, and how much that is for the payload and for an operation of such a run.
  void add_count(const std::string& name, std::optional<record::Role> party, const record::Interval& count,
                 record::Kind kind, const std::function<std::optional<Extremes>(Per)>& extremes) {
    add(name, "", party, count).extremes = extremes(Per::run);
    if (const double payload = payload_per_run(kind); payload > 0) {
      add(name + "_per_mib", "1/MiB", party, scaled(count, kMebibyte / payload)).extremes = extremes(Per::mebibyte);
    }
    if (const double operations = operations_per_run(record_, contestant_, kind); operations > 0) {
      add(name + "_per_operation", "", party, scaled(count, 1 / operations)).extremes = extremes(Per::operation);
    }
  }

  void add_probed(const std::string& name, std::optional<record::Role> party, double count,
                  std::uint64_t record::PartyTrace::* what) {
    add_count(name, party, single(count, probed_), record::Kind::probed,
              [&](Per per) { return seen(traced_, party, what, per); });
  }

  void add_switches(std::optional<record::Role> party, double count) {
    add_count("context_switches", party, spread(count, in_runs(party, switches_of)), record::Kind::timed,
              [](Per) { return std::nullopt; });
  }

  double payload_per_run(record::Kind kind) const {
    std::vector<double> payload;
    for (const auto& run : contestant_.runs) {
      if (kind == record::Kind::timed ? record::counts(run, counted_group(record_)) : run.kind == kind && run.ok()) {
        payload.push_back(static_cast<double>(run.payload_bytes));
      }
    }
    return statistics::median(std::move(payload));
  }

  void switches() {
    std::optional<double> modes = 0;
    std::optional<double> calls = 0;
    double contexts = 0;
    const auto add_up = [](std::optional<double>& sum, const std::optional<double>& one) {
      sum = sum && one ? std::optional(*sum + *one) : std::nullopt;
    };
    for (const auto& party : summary_.parties) {
      if (party.mode_switches) {
        add_probed("mode_switches", party.role, *party.mode_switches, &record::PartyTrace::mode_switches);
      }
      if (party.system_calls) {
        add_probed("system_calls", party.role, *party.system_calls, &record::PartyTrace::system_calls);
      }
      const double own = party.context_switches.voluntary + party.context_switches.involuntary;
      add_switches(party.role, own);
      add("page_faults", "", party.role,
          spread(party.page_faults.minor + party.page_faults.major, in_runs(party.role, faults_of)));
      add_up(modes, party.mode_switches);
      add_up(calls, party.system_calls);
      contexts += own;
    }
    if (modes && !summary_.parties.empty()) {
      add_probed("mode_switches", {}, *modes, &record::PartyTrace::mode_switches);
    }
    if (calls && !summary_.parties.empty()) {
      add_probed("system_calls", {}, *calls, &record::PartyTrace::system_calls);
    }
    add_switches({}, contexts);
  }

  void counts() {
    std::map<std::string, double> sums;
    const auto each_run = [&](std::optional<record::Role> role, const std::string& name) {
      return in_runs(role, [&](const record::Usage& usage) { return counted_by(usage, name); });
    };
    for (const auto& party : summary_.parties) {
      for (const auto& [name, count] : party.counters) {
        sums[name] += count;
        add("counter", "", party.role, spread(count, each_run(party.role, name))).of = name;
      }
    }
    // By our transport or, as far as probes saw it, by TCP.
    if (const auto own = sums.find("retransmissions"); own != sums.end()) {
      add("retransmissions", "", {}, spread(own->second, each_run({}, own->first)));
    } else if (summary_.tcp_retransmits) {
      add("retransmissions", "", {}, single(*summary_.tcp_retransmits, probed_));
    }
    if (summary_.packets_dropped) {
      add("drops", "", {}, single(*summary_.packets_dropped, probed_));
    }
    if (const auto polls = sums.find("empty_polls"); polls != sums.end()) {
      add("empty_polls", "", {}, spread(polls->second, each_run({}, polls->first)));
    }
    if (contestant_.ceiling) {
      add("ceiling.share", "", {}, single(contestant_.ceiling->share, counted_.size()));
    }
  }

  const record::Record& record_;
  const record::Contestant& contestant_;
  const record::Summary& summary_;
  std::vector<const record::Run*> counted_;
  std::size_t probed_;
  std::vector<const record::Run*> traced_;
  std::vector<Figure> figures_;
};

bool begins(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

std::optional<double> latency_in(const record::Run& run, std::string_view figure, std::string_view of) {
  const auto found = run.latency_ns.find(std::string(of));
  if (found == run.latency_ns.end() || found->second.count == 0) {
    return std::nullopt;
  }
  const auto at = percentiles(found->second);
  return figure == "latency.p50"    ? at.p50
         : figure == "latency.p99"  ? at.p99
         : figure == "latency.mean" ? std::optional(found->second.mean)
                                    : std::nullopt;
}

}  // namespace

Better better(std::string_view figure) {
  if (const auto* const found = run_figure(figure); found != nullptr) {
    return found->better;
  }
  const bool cost = begins(figure, "latency.") || begins(figure, "copies") || begins(figure, "mode_switches") ||
                    begins(figure, "system_calls") || begins(figure, "context_switches") || figure == "memory" ||
                    figure == "page_faults" || figure == "drops" || figure == "retransmissions" ||
                    figure == "empty_polls";
  return cost ? Better::less : figure == "ceiling.share" ? Better::more : Better::neither;
}

std::vector<const record::Run*> counted_runs(const record::Record& record, const record::Contestant& contestant) {
  std::vector<const record::Run*> runs;
  for (const auto& run : contestant.runs) {
    if (record::counts(run, counted_group(record))) {
      runs.push_back(&run);
    }
  }
  std::ranges::sort(runs, {}, [](const record::Run* run) { return std::pair(run->round.value_or(0), run->order); });
  return runs;
}

std::optional<double> in_run(const record::Run& run, std::string_view figure, std::string_view of) {
  if (begins(figure, "latency.")) {
    return latency_in(run, figure, of);
  }
  const auto* const found = run_figure(figure);
  const double value = found != nullptr ? found->of(run) : NAN;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string_view unit_of(std::string_view figure) {
  const auto* const found = run_figure(figure);
  return found != nullptr ? found->unit : begins(figure, "latency.") ? "ns" : std::string_view();
}

std::map<std::uint64_t, double> by_round(const record::Record& record, const record::Contestant& contestant,
                                         std::string_view figure, std::string_view of) {
  std::map<std::uint64_t, double> values;
  for (const auto* run : counted_runs(record, contestant)) {
    const auto value = in_run(*run, figure, of);
    if (run->round && value) {
      values[*run->round] = *value;
    }
  }
  return values;
}

std::vector<Figure> figures_of(const record::Record& record, const record::Contestant& contestant) {
  return contestant.summary ? Collector(record, contestant).all() : std::vector<Figure>();
}

std::string_view main_figure(const record::Record& record) {
  return record.workload.idle ? "cpu.share" : record.workload.bulk ? "goodput" : "operations";
}

}  // namespace waggle::report
