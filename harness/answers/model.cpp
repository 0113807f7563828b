// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "harness/answers/comparison.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/answers/sweep.hpp"
#include "harness/answers/verdict_text.hpp"
#include "harness/record/archive.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

using nlohmann::json;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

template <record::Named E>
json name_or_null(const std::optional<E>& value) {
  return value ? json(name(*value)) : json();
}

const char* word(report::Better better) {
  return better == report::Better::more ? "more" : better == report::Better::less ? "less" : "none";
}

json figure_json(const report::Figure& figure) {
  return {{"name", figure.name},
          {"unit", figure.unit},
          {"better", word(report::better(figure.name))},
          {"party", name_or_null(figure.party)},
          {"place", name_or_null(figure.place)},
          {"of", figure.of},
          {"value", figure.value.median},
          {"low", or_null(figure.value.low)},
          {"high", or_null(figure.value.high)},
          {"coverage", or_null(figure.value.coverage)},
          {"n", figure.value.runs},
          {"grade", name_or_null(figure.grade)}};
}

/// Each run that counts, by what its workload is judged by.
json runs_json(const record::Record& record, const std::vector<const record::Run*>& runs) {
  json list = json::array();
  for (const auto* run : runs) {
    const auto placement = run->conditions ? run->conditions->placement_ns.before : std::nullopt;
    list.push_back({{"value", or_null(report::in_run(*run, report::main_figure(record)))},
                    {"seconds", run->seconds},
                    {"round", or_null(run->round)},
                    {"placement_ns", or_null(placement)}});
  }
  return list;
}

/// The run whose figure is nearest to the median shows what a run is like.
json timeline_json(const record::Record& record, const std::vector<const record::Run*>& runs) {
  std::vector<double> values;
  for (const auto* run : runs) {
    values.push_back(report::in_run(*run, report::main_figure(record)).value_or(0));
  }
  const double middle = statistics::median(values);
  const record::Run* typical = nullptr;
  double nearest = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double distance = std::abs(values[i] - middle);
    if (typical == nullptr || distance < nearest) {
      typical = runs[i];
      nearest = distance;
    }
  }
  if (typical == nullptr || typical->timeline.bytes.size() < 2 || typical->timeline.interval_s <= 0) {
    return {};
  }
  json rates = json::array();
  for (const auto bytes : typical->timeline.bytes) {
    rates.push_back(static_cast<double>(bytes) * 8 / typical->timeline.interval_s);
  }
  return {{"interval_s", typical->timeline.interval_s}, {"rate", std::move(rates)}};
}

json latencies_json(const record::Summary& summary) {
  json all = json::object();
  for (const auto& [operation, distribution] : summary.latency_ns) {
    const auto at = report::percentiles(distribution);
    all[operation] = {{"count", distribution.count}, {"mean", distribution.mean},      {"p50", or_null(at.p50)},
                      {"p90", or_null(at.p90)},      {"p99", or_null(at.p99)},         {"p999", or_null(at.p999)},
                      {"max", or_null(at.max)},      {"buckets", distribution.buckets}};
  }
  return all;
}

std::string datapath_of(const record::Contestant& contestant, record::Role role) {
  const auto* const party = record::find(contestant.parties, role);
  return party == nullptr ? "" : party->datapath;
}

json contestant_json(const record::Record& record, const record::Contestant& contestant) {
  const auto runs = report::counted_runs(record, contestant);
  json figures = json::array();
  for (const auto& figure : report::figures_of(record, contestant)) {
    figures.push_back(figure_json(figure));
  }
  return {{"label", contestant.label},
          {"sender", datapath_of(contestant, record::Role::sender)},
          {"receiver", datapath_of(contestant, record::Role::receiver)},
          {"status", name(contestant.status)},
          {"runs", runs_json(record, runs)},
          {"timeline", timeline_json(record, runs)},
          {"latency", latencies_json(*contestant.summary)},
          {"figures", std::move(figures)}};
}

json comparison_json(const Comparison& one) {
  return {{"a", one.a},
          {"b", one.b},
          {"metric", one.figure},
          {"ratio", one.ratio.median},
          {"low", or_null(one.ratio.low)},
          {"high", or_null(one.ratio.high)},
          {"coverage", or_null(one.ratio.coverage)},
          {"n", one.ratio.runs},
          {"paired", true},
          {"differs", one.differs},
          {"sentence", one.sentence}};
}

/// The figure that the workload is judged by, and what that costs.
std::vector<std::string_view> compared(const record::Record& record) {
  const auto main = report::main_figure(record);
  return record.workload.idle   ? std::vector<std::string_view>{main}
         : record.workload.bulk ? std::vector<std::string_view>{main, "cpu.per_gib"}
                                : std::vector<std::string_view>{main, "cpu.per_operation"};
}

json experiment_json(const Experiment& experiment) {
  const auto& record = experiment.record();
  const auto main = report::main_figure(record);
  json contestants = json::array();
  for (const auto* contestant : experiment.contestants) {
    contestants.push_back(contestant_json(record, *contestant));
  }
  json comparisons = json::array();
  for (const auto figure : compared(record)) {
    for (const auto& one : compare(experiment, figure)) {
      comparisons.push_back(comparison_json(one));
    }
  }
  json absent = json::array();
  for (const auto* contestant : experiment.absent) {
    absent.push_back({{"label", contestant->label},
                      {"status", name(contestant->status)},
                      {"reason", contestant->reason.value_or("")},
                      {"hint", contestant->hint.value_or("")}});
  }
  return {{"id", experiment.id},
          {"record", experiment.source->id},
          {"workload", record.spec.workload},
          {"link", experiment.link},
          {"link_text", experiment.link.empty() ? "" : report::link_text(record, experiment.link)},
          {"title", report::headline(record)},
          {"metric", {{"name", main}, {"unit", report::unit_of(main)}, {"better", word(report::better(main))}}},
          {"caption", caption_of(experiment)},
          {"warnings", warnings_of(experiment)},
          {"bulk", record.workload.bulk},
          {"idle", record.workload.idle},
          {"contestants", std::move(contestants)},
          {"comparisons", std::move(comparisons)},
          {"unavailable", std::move(absent)}};
}

/// Facts of the environment as names and texts: what is nested gets names with dots.
void flatten(const std::string& name, const json& value, json& list) {
  if (value.is_object()) {
    for (const auto& [key, each] : value.items()) {
      flatten(name.empty() ? key : name + "." + key, each, list);
    }
  } else if (!value.is_null()) {
    const auto text =
        value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
    list.push_back({{"name", printable(name)}, {"value", printable(text)}});
  }
}

json environment_json(const record::Record& record) {
  json list = json::array();
  const auto all = record::to_json(record);
  const auto& hosts = all.at("environment").at("hosts");
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    flatten(hosts.size() == 1 ? "" : fmt::format("machine {}", i + 1), hosts[i], list);
  }
  flatten("link", all.at("environment").at("links"), list);
  return list;
}

/// What a record was made by, so that it can be typed again.
std::string typed(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  std::ranges::transform(words, std::back_inserter(quoted), [](const std::string& word) { return shell_word(word); });
  return fmt::format("{}", fmt::join(quoted, " "));
}

json record_json(const Source& source) {
  const auto& record = source.record;
  json suite;
  if (record.suite) {
    suite = {{"name", record.suite->name},
             {"experiment", record.suite->experiment},
             {"title", record.suite->title},
             {"point", record.suite->point}};
  }
  return {{"id", source.id},
          {"file", source.file},
          {"created", record.created},
          {"finished", record.finished},
          {"suite", std::move(suite)},
          {"command", fmt::format("harness {} {}", record.contestants.size() == 1 ? "run" : "compare",
                                  shell_word("--like=" + source.file))},
          {"command_line", typed(record.command_line)},
          {"revision", record.git.revision + (record.git.dirty ? "+" : "")},
          {"workload", record.spec.workload},
          {"headline", report::headline(record)},
          {"machine", machine_of(record)},
          {"placement", report::tells_placement(record) ? report::placement_note(record) : ""},
          {"noisy", record.environment.noisy},
          {"noise", record.environment.noise},
          {"environment", environment_json(record)}};
}

json sweep_json(const Sweep& sweep) {
  json points = json::array();
  for (const auto& point : sweep.points) {
    points.push_back({{"x", point.x}, {"label", point.label}, {"experiment", point.experiment->id}});
  }
  return {{"id", sweep.id},
          {"suite", sweep.suite},
          {"title", sweep.title},
          {"link", sweep.link},
          {"x", {{"name", sweep.x}, {"unit", sweep.unit}, {"log", sweep.log}}},
          {"caption", caption_of(*sweep.points.back().experiment)},
          {"warnings", sweep.warnings},
          {"points", std::move(points)}};
}

/// "21 records, 2026-11-21 to 2026-11-22, of 2 × Xeon, Linux 6.1".
std::string about(const RecordSet& set) {
  std::set<std::string> machines;
  for (const auto& source : set.sources) {
    machines.insert(machine_of(source.record));
  }
  const auto day = [](const Source& source) { return source.record.created.substr(0, 10); };
  const auto first = day(set.sources.front());
  const auto last = day(set.sources.back());
  return fmt::format("{} {}, {}; {}", set.sources.size(), set.sources.size() == 1 ? "record" : "records",
                     first == last ? first : fmt::format("{} to {}", first, last), fmt::join(machines, "; "));
}

}  // namespace

json model(const RecordSet& set, const std::vector<Experiment>& experiments,
           const std::vector<verdict::Verdict>& verdicts, const std::string& title) {
  std::set<std::string> labels;
  json all = json::array();
  for (const auto& experiment : experiments) {
    all.push_back(experiment_json(experiment));
    for (const auto* contestant : experiment.contestants) {
      labels.insert(contestant->label);
    }
  }
  json records = json::array();
  for (const auto& source : set.sources) {
    records.push_back(record_json(source));
  }
  json swept = json::array();
  for (const auto& sweep : sweeps(experiments)) {
    swept.push_back(sweep_json(sweep));
  }
  return {{"schema", kModelSchema},  {"title", title},
          {"about", about(set)},     {"datapaths", labels},
          {"records", records},      {"experiments", all},
          {"sweeps", swept},         {"verdicts", verdicts_json(set, verdicts)},
          {"left_out", set.left_out}};
}

}  // namespace waggle::answers
