// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/evidence.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "harness/report/comparable.hpp"

namespace waggle::verdict {
namespace {

using Indices = std::vector<std::size_t>;

/// Records of an experiment of the rule's suite, by their point, the newest first.
std::map<Point, Indices> by_point(const Rule& rule, const std::string& experiment, Records records) {
  std::map<Point, Indices> points;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& suite = records[i].record->suite;
    if (suite && suite->name == rule.suite && suite->experiment == experiment) {
      points[suite->point].push_back(i);
    }
  }
  const auto newer = [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) { return std::tie(records[i].record->created, records[i].file); };
    return key(a) > key(b);
  };
  for (auto& [point, indices] : points) {
    std::ranges::sort(indices, newer);
  }
  return points;
}

/// The contestant of a record with that label over that link; of one that no link runs the link is empty.
std::optional<Evidence> in_record(Records records, std::size_t index, const std::string& label,
                                  const std::string& link) {
  const auto& all = records[index].record->contestants;
  const auto found =
      std::ranges::find_if(all, [&](const record::Contestant& one) { return one.label == label && one.link == link; });
  return found == all.end()
             ? std::nullopt
             : std::optional(Evidence{.record = index, .contestant = static_cast<std::size_t>(found - all.begin())});
}

/// The newest that is whole, or else the newest at all.
std::optional<Evidence> newest(Records records, const Indices& indices, const std::string& label,
                               const std::string& link) {
  std::optional<Evidence> other;
  for (const std::size_t index : indices) {
    const auto found = in_record(records, index, label, link);
    if (found && is_whole(contestant(records, *found))) {
      return found;
    }
    other = other ? other : found;
  }
  return other;
}

/// What it is compared with: over the same link, or what could not run over any.
std::optional<Evidence> newest_other(Records records, const Indices& indices, const std::string& label,
                                     const std::string& link) {
  const auto found = newest(records, indices, label, link);
  return found ? found : newest(records, indices, label, {});
}

/// Links of the contestants with that label. Where it was whole over one, that it could not run over none is no news.
std::vector<std::string> links_of_label(Records records, const Indices& indices, const std::string& label) {
  std::vector<std::string> links;
  for (const std::size_t index : indices) {
    for (const auto& one : records[index].record->contestants) {
      if (one.label == label && std::ranges::find(links, one.link) == links.end()) {
        links.push_back(one.link);
      }
    }
  }
  if (links.size() > 1) {
    std::erase(links, std::string());
  }
  std::ranges::sort(links);
  return links;
}

/// The record in which both are whole; nothing when none has both.
std::optional<std::pair<Evidence, Evidence>> together(Records records, const Indices& indices, const std::string& of,
                                                      const std::string& than, const std::string& link) {
  for (const std::size_t index : indices) {
    const auto a = in_record(records, index, of, link);
    const auto b = in_record(records, index, than, link);
    if (a && b && is_whole(contestant(records, *a)) && is_whole(contestant(records, *b))) {
      return std::pair(*a, *b);
    }
  }
  return std::nullopt;
}

/// What the rule compares with in another record: what is not said to be different there is the same.
std::optional<Evidence> elsewhere_of(const Rule& rule, Records records, const std::map<Point, Indices>& points,
                                     const Instance& here) {
  Point there = here.point;
  for (const auto& [name, value] : rule.than_at) {
    there.insert_or_assign(name, value);
  }
  const auto found = std::ranges::find_if(
      points, [&](const auto& each) { return is_at(there, each.first) && is_at(each.first, rule.than_at); });
  return found == points.end()
             ? std::nullopt
             : newest_other(records, found->second, rule.than.empty() ? rule.of : rule.than, here.link);
}

/// All that is asked of a rule at one point, over one link.
struct Search {
  const Rule& rule;
  Records records;
  const std::map<Point, Indices>& points;
  const std::map<Point, Indices>& others;  ///< of the experiment that it compares with

  Found at(Instance instance) const {
    auto found = chosen(std::move(instance));
    if (found.of) {
      const auto& answers = *records[found.of->record].record;
      found.foreign =
          static_cast<std::size_t>(std::ranges::count_if(points.at(found.instance.point), [&](std::size_t i) {
            return !report::are_of_one_machine(*records[i].record, answers);
          }));
    }
    return found;
  }

 private:
  Found chosen(Instance instance) const {
    const Indices& here = points.at(instance.point);
    Found found{.instance = std::move(instance), .of = {}, .than = {}, .older = here.size() - 1};
    const std::string& link = found.instance.link;
    if (!rule.than.empty() && !rule.elsewhere()) {
      if (const auto both = together(records, here, rule.of, rule.than, link)) {
        std::tie(found.of, found.than) = *both;
        return found;
      }
      found.than = newest_other(records, here, rule.than, link);
    }
    found.of = newest(records, here, rule.of, link);
    if (rule.elsewhere()) {
      found.than = elsewhere_of(rule, records, others, found.instance);
    }
    return found;
  }
};

}  // namespace

const record::Contestant& contestant(Records records, const Evidence& evidence) {
  return records[evidence.record].record->contestants.at(evidence.contestant);
}

bool is_whole(const record::Contestant& contestant) {
  return contestant.ok() && contestant.summary.has_value();
}

std::vector<Found> find_evidence(const Rule& rule, Records records) {
  const auto points = by_point(rule, rule.experiment, records);
  const auto others = rule.than_experiment.empty() ? points : by_point(rule, rule.than_experiment, records);
  const Search search{.rule = rule, .records = records, .points = points, .others = others};
  std::vector<Found> all;
  for (const auto& [point, indices] : points) {
    const bool itself =
        rule.than.empty() && rule.than_experiment.empty() && rule.elsewhere() && is_at(point, rule.than_at);
    if (itself || !is_at(point, rule.at)) {
      continue;
    }
    for (const auto& link : links_of_label(records, indices, rule.of)) {
      if (rule.link.empty() || link.empty() || link == rule.link) {
        all.push_back(search.at({.point = point, .link = link}));
      }
    }
  }
  return all;
}

}  // namespace waggle::verdict
