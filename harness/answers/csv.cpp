// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <initializer_list>
#include <optional>
#include <string_view>

#include "harness/answers/sheet.hpp"
#include "harness/record/metric.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/placement_text.hpp"

namespace waggle::answers {
namespace {

/// RFC 4180. Nothing that a spreadsheet would take for a formula stands at the beginning of a text.
std::string field(std::string_view text) {
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  const bool formula = !text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
  if (!quoted && !formula) {
    return std::string(text);
  }
  std::string out = formula ? "\"'" : "\"";
  for (const char c : text) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + '"';
}

/// The shortest digits that give the value back.
std::string number(std::optional<double> value) {
  return value ? fmt::format("{}", *value) : std::string();
}

std::string line(std::initializer_list<std::string> fields) {
  return fmt::format("{}\n", fmt::join(fields, ","));
}

std::string words(auto value) {
  return value ? std::string(name(*value)) : std::string();
}

}  // namespace

std::string figures_csv(const std::vector<Experiment>& experiments) {
  std::string text =
      "record,created,workload,link,contestant,figure,party,place,of,value,low,high,coverage,n,unit,grade\n";
  for (const auto& experiment : experiments) {
    const auto& record = experiment.record();
    for (const auto* contestant : experiment.contestants) {
      for (const auto& figure : report::figures_of(record, *contestant)) {
        text += line({field(experiment.source->file), field(record.created), field(record.spec.workload),
                      field(experiment.link), field(contestant->label), figure.name, words(figure.party),
                      words(figure.place), field(figure.of), number(figure.value.median), number(figure.value.low),
                      number(figure.value.high), number(figure.value.coverage), std::to_string(figure.value.runs),
                      figure.unit, words(figure.grade)});
      }
    }
  }
  return text;
}

std::string runs_csv(const std::vector<Experiment>& experiments) {
  std::string text =
      "record,link,contestant,order,round,kind,status,counts,seconds,payload_bytes,operations,goodput_bit_s,"
      "operations_per_s,cpu_s,machine_busy_s,machine_softirq_s,placement_before_ns,placement_after_ns,steal_share\n";
  for (const auto& experiment : experiments) {
    const auto group = report::counted_group(experiment.record());
    for (const auto* contestant : experiment.contestants) {
      for (const auto& run : contestant->runs) {
        const auto conditions = run.conditions.value_or(record::Conditions{});
        const bool ok = run.ok();
        const auto measured = [&](double value) { return ok ? number(value) : std::string(); };
        text +=
            line({field(experiment.source->file), field(experiment.link), field(contestant->label),
                  std::to_string(run.order), run.round ? std::to_string(*run.round) : std::string(),
                  std::string(name(run.kind)), std::string(name(run.status)), record::counts(run, group) ? "yes" : "no",
                  measured(run.seconds), ok ? std::to_string(run.payload_bytes) : std::string(),
                  ok ? std::to_string(run.operations) : std::string(), measured(run.goodput_bits_per_second),
                  measured(run.operations_per_second), measured(run.cpu_s()), measured(run.machine.busy_s),
                  measured(run.machine.softirq_s), number(conditions.placement_ns.before),
                  number(conditions.placement_ns.after), run.conditions ? number(conditions.steal_share) : ""});
      }
    }
  }
  return text;
}

}  // namespace waggle::answers
