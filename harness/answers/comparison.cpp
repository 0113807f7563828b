// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "harness/report/figures.hpp"
#include "harness/report/grid.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

using Rounds = std::map<std::uint64_t, double>;

std::vector<double> ratios(const Rounds& a, const Rounds& b) {
  std::vector<double> values;
  for (const auto& [round, value] : a) {
    if (const auto found = b.find(round); found != b.end() && found->second != 0) {
      values.push_back(value / found->second);
    }
  }
  return values;
}

/// "A moves X what B does": for a figure, with its places for A, X and B.
std::string worded(std::string_view figure, const std::string& a, const std::string& times, const std::string& b) {
  return figure == "goodput"                 ? fmt::format("{} moves {} what {} does.", a, times, b)
         : figure == "operations"            ? fmt::format("{} does {} as many operations as {}.", a, times, b)
         : figure == "seconds"               ? fmt::format("{} takes {} as long as {}.", a, times, b)
         : figure.starts_with("latency")     ? fmt::format("{} answers {} as late as {}.", a, times, b)
         : figure.starts_with("cpu.machine") ? fmt::format("{} keeps all CPUs busy {} as long as {}.", a, times, b)
                                             : fmt::format("{} uses {} the CPU time of {}.", a, times, b);
}

/// Whether the interval covers so much that it may decide.
bool decides(const record::Interval& ratio) {
  return ratio.low && ratio.high && ratio.coverage.value_or(0) >= statistics::kConfidence;
}

std::string sentence_of(const Comparison& one) {
  const auto& ratio = one.ratio;
  if (!ratio.low || !ratio.high) {
    return fmt::format("{} and {}: too few rounds to compare ({}).", one.a, one.b, ratio.runs);
  }
  const auto times = times_text(ratio);
  // What is not shown may be there all the same.
  return one.differs      ? worded(one.figure, one.a, times, one.b)
         : decides(ratio) ? fmt::format("{} and {}: no difference is shown, {}.", one.a, one.b, times)
                          : fmt::format("{} and {}: too few rounds to tell, {}.", one.a, one.b, times);
}

}  // namespace

std::vector<Comparison> compare(const Experiment& experiment, std::string_view figure, std::string_view of) {
  std::vector<std::pair<const record::Contestant*, Rounds>> rounds;
  for (const auto* contestant : experiment.contestants) {
    rounds.emplace_back(contestant, report::by_round(experiment.record(), *contestant, figure, of));
  }
  const std::size_t pairs = rounds.size() * (rounds.size() - (rounds.empty() ? 0 : 1)) / 2;
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    for (std::size_t j = i + 1; j < rounds.size(); ++j) {
      auto values = ratios(rounds[i].second, rounds[j].second);
      auto turned = ratios(rounds[j].second, rounds[i].second);
      if (values.empty() || turned.empty()) {
        continue;
      }
      auto [a, b] = std::pair(rounds[i].first, rounds[j].first);
      if (statistics::median(values) < 1) {
        std::swap(a, b);
        std::swap(values, turned);
      }
      Comparison one{.a = a->label, .b = b->label, .figure = std::string(figure), .ratio = {}, .sentence = {}};
      one.ratio = statistics::interval_of(values, pairs);
      one.inverse = statistics::interval_of(turned, pairs);
      one.differs = decides(one.ratio) && (*one.ratio.low > 1 || *one.ratio.high < 1);
      one.sentence = sentence_of(one);
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::optional<Comparison> between(const std::vector<Comparison>& comparisons, const std::string& a,
                                  const std::string& b) {
  for (const auto& one : comparisons) {
    if (one.a == a && one.b == b) {
      return one;
    }
    if (one.a == b && one.b == a) {
      auto turned = one;
      turned.a = a;
      turned.b = b;
      std::swap(turned.ratio, turned.inverse);
      return turned;
    }
  }
  return std::nullopt;
}

std::string times_text(const record::Interval& ratio) {
  auto times = report::format_number(ratio.median) + " times";
  if (!ratio.low || !ratio.high) {
    return times;
  }
  return fmt::format("{} ({}–{}{})", times, report::format_number(*ratio.low), report::format_number(*ratio.high),
                     decides(ratio) ? "" : ", " + report::coverage_text(ratio));
}

bool is_alone_best(const Experiment& experiment, const std::vector<Comparison>& comparisons, const std::string& label) {
  std::size_t beaten = 0;
  for (const auto& one : comparisons) {
    const bool more = report::better(one.figure) == report::Better::more;
    beaten += one.differs && (more ? one.a : one.b) == label ? 1 : 0;
  }
  return experiment.contestants.size() > 1 && beaten + 1 == experiment.contestants.size();
}

}  // namespace waggle::answers
