// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "base/text.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/record/archive.hpp"

namespace waggle::answers {
namespace {

/// Numbers within this factor are near each other.
constexpr double kNearFactor = 4;
/// From this size on, bytes, a file takes so long that setting out does not count.
constexpr double kLargeFile = 16.0 * 1024 * 1024;
/// Machines with the same memory tell a little more or less of it, by what the kernel keeps.
constexpr double kMemorySlack = 0.02;
/// Members of a spec that do not change what is measured, only who takes part, how often, and where on the machine.
constexpr auto kOfACall =
    std::to_array<std::string_view>({"pairs", "workload", "link", "pci", "cpus", "server_cpu", "client_cpu",
                                     "placement", "work", "seed", "least_runs", "most_runs", "warmups", "probed_runs",
                                     "budget_seconds", "interval_target", "timeout", "allow_fallback", "receive_with"});
/// Besides parameters and settings of datapaths: what may differ when nobody has said it.
constexpr auto kFree = std::to_array<std::string_view>({"sink", "cache", "tmpfs_huge", "file", "digest"});

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

struct Setting {
  nlohmann::json value;
  bool free = false;    ///< may differ when nobody has said it
  bool amount = false;  ///< may be near, said or not
};
using AllSettings = std::map<std::string, Setting>;

/// Everything that a spec says, by the name of its option, settings of datapaths as "datapath.option".
AllSettings settings_of(const record::Asked& asked) {
  AllSettings all;
  const nlohmann::json spec = record::write(asked);
  for (const auto& [name, value] : spec.items()) {
    if (name != "parameters" && name != "channel") {
      all.emplace(name, Setting{.value = value, .free = is_among(kFree, name)});
    }
  }
  for (const auto& [name, value] : spec.at("parameters").items()) {
    all.emplace(name, Setting{.value = value, .free = name != "clients", .amount = true});
  }
  for (const auto& [name, value] : spec.at("channel").items()) {
    if (name != "settings") {
      all.emplace(name, Setting{.value = value});
    } else if (value.is_object()) {
      for (const auto& [option, setting] : value.items()) {
        all.emplace(option, Setting{.value = setting, .free = true});
      }
    }
  }
  std::erase_if(all, [](const auto& each) { return is_among(kOfACall, each.first); });
  return all;
}

/// As an option has it; nothing where no option can have it.
std::optional<OptionValue> option_value(const OptionType& type, const nlohmann::json& json) {
  using Kind = OptionType::Kind;
  const bool real = type.kind == Kind::seconds || type.kind == Kind::rate || type.kind == Kind::share;
  std::optional<OptionValue> value;
  if (json.is_boolean()) {
    value = json.get<bool>();
  } else if (json.is_string()) {
    value = json.get<std::string>();
  } else if (json.is_number() && real) {
    value = json.get<double>();
  } else if (json.is_number_integer() && json >= 0) {
    value = json.get<std::uint64_t>();
  }
  return value && type.check(*value) ? value : std::nullopt;
}

std::string written(const Question& question, const std::string& name, const nlohmann::json& json) {
  if (json.is_null()) {
    return "the default";
  }
  const auto option = std::ranges::find(question.options, name, &OptionInfo::name);
  const auto value = option == question.options.end() ? std::nullopt : option_value(option->type, json);
  return printable(value              ? option->type.print(*value)
                   : json.is_string() ? json.get<std::string>()
                                      : json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// Doublings between two numbers; nothing where that says nothing.
std::optional<double> doublings(const nlohmann::json& a, const nlohmann::json& b) {
  if (!a.is_number() || !b.is_number() || a.get<double>() <= 0 || b.get<double>() <= 0) {
    return std::nullopt;
  }
  return std::abs(std::log2(a.get<double>() / b.get<double>()));
}

bool is_near(const Question& question, const std::string& name, const nlohmann::json& a, const nlohmann::json& b) {
  const auto apart = doublings(a, b);
  const bool large = name == question.file_size && apart && std::min(a.get<double>(), b.get<double>()) >= kLargeFile;
  return large || (apart && *apart <= std::log2(kNearFactor));
}

/// How near an experiment is to what is asked.
struct Rated {
  const Experiment* experiment = nullptr;
  std::vector<Difference> differences = {};
  bool fits = true;
  double said = 0;    ///< how far what was said is from what was measured
  double unsaid = 0;  ///< and what was not
};

/// Something that differs and is no number is as far as a number that is not near.
constexpr double kOtherWord = 8;

Rated rated_by(const Experiment& experiment, const Question& question) {
  Rated rated{.experiment = &experiment};
  const auto asked = settings_of(question.asked);
  for (const auto& [name, theirs] : settings_of(experiment.record().spec)) {
    const auto found = asked.find(name);
    if (found == asked.end() && !name.contains('.')) {
      continue;  // an option of another version
    }
    const nlohmann::json ours = found == asked.end() ? nlohmann::json() : found->second.value;
    if (ours == theirs.value) {
      continue;
    }
    const bool said = question.said.contains(name);
    rated.fits =
        rated.fits && ((!said && theirs.free) || (theirs.amount && is_near(question, name, ours, theirs.value)));
    (said ? rated.said : rated.unsaid) += 1 + doublings(ours, theirs.value).value_or(kOtherWord);
    rated.differences.push_back({.option = name,
                                 .asked = written(question, name, ours),
                                 .recorded = written(question, name, theirs.value),
                                 .said = said});
  }
  return rated;
}

bool is_nearer(const Rated& a, const Rated& b) {
  const auto order = [](const Rated& one) {
    return std::tuple(!one.fits, one.said, one.unsaid, -static_cast<double>(one.experiment->contestants.size()));
  };
  return order(a) != order(b) ? order(a) < order(b) : a.experiment->record().created > b.experiment->record().created;
}

/// The rest of the record, over other links.
std::vector<const Experiment*> beside(const std::vector<Experiment>& experiments, const Experiment& chosen) {
  std::vector<const Experiment*> others;
  for (const auto& one : experiments) {
    if (one.source == chosen.source && &one != &chosen && !one.contestants.empty()) {
      others.push_back(&one);
    }
  }
  return others;
}

bool is_over(const Experiment& experiment, const Question& question) {
  return question.link == "auto" || experiment.link == question.link;
}

/// "3 records of other machines (2 × Xeon, Linux 6.1)".
std::vector<std::string> set_aside(const std::set<const Source*>& strangers) {
  if (strangers.empty()) {
    return {};
  }
  std::set<std::string> machines;
  for (const auto* source : strangers) {
    const auto machine = machine_of(source->record);
    machines.insert(machine.empty() ? "a machine that its record does not tell" : machine);
  }
  return {fmt::format("{} of other machines ({})",
                      strangers.size() == 1 ? "1 record" : fmt::format("{} records", strangers.size()),
                      fmt::join(machines, "; "))};
}

std::string too_far(const Rated& rated) {
  std::vector<std::string> parts;
  std::ranges::transform(rated.differences, std::back_inserter(parts), &Difference::text);
  return fmt::format("the nearest record, {}, differs too much: {}", rated.experiment->source->file,
                     fmt::join(parts, "; "));
}

nlohmann::json fact_of(const record::Host& host, const char* object, const char* name) {
  const auto found = host.others.members.find(object);
  return found != host.others.members.end() && found->is_object() ? found->value(name, nlohmann::json())
                                                                  : nlohmann::json();
}

double memory_of(const record::Host& host) {
  const auto found = host.others.members.find("memory_bytes");
  return found != host.others.members.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

std::string Difference::text() const {
  const auto flag = on_command_line(option);
  return said ? fmt::format("{}={} is asked, {} was measured", flag, asked, recorded)
              : fmt::format("{}={} was measured, {} is the default", flag, recorded, asked);
}

bool is_of(const record::Host& here, const record::Record& record) {
  return std::ranges::any_of(record.environment.hosts, [&](const record::Host& host) {
    for (const char* fact : {"model", "online", "virtual"}) {
      if (fact_of(host, "cpu", fact) != fact_of(here, "cpu", fact)) {
        return false;
      }
    }
    const double most = std::max(memory_of(host), memory_of(here));
    return std::abs(memory_of(host) - memory_of(here)) <= kMemorySlack * most;
  });
}

Nearest nearest(const std::vector<Experiment>& experiments, const Question& question, const Here& here) {
  Nearest found;
  std::set<const Source*> strangers;
  std::optional<Rated> best;
  bool alone = false;
  for (const auto& experiment : experiments) {
    if (!is_of(here.host, experiment.record())) {
      strangers.insert(experiment.source);
    } else if (experiment.record().spec.workload == question.asked.workload && is_over(experiment, question)) {
      if (experiment.contestants.size() < 2) {
        alone = true;
        continue;
      }
      auto rated = rated_by(experiment, question);
      if (!best || is_nearer(rated, *best)) {
        best = std::move(rated);
      }
    }
  }
  found.aside = set_aside(strangers);
  if (best && best->fits) {
    found.experiment = best->experiment;
    found.differences = std::move(best->differences);
    found.others = beside(experiments, *best->experiment);
    return found;
  }
  const auto over = question.link == "auto" ? "" : fmt::format(" over {}", question.link);
  found.why_none = best    ? too_far(*best)
                   : alone ? fmt::format("records of {}{} were made with one datapath each, which compares nothing",
                                         question.asked.workload, over)
                           : fmt::format("no record of this machine is of {}{}", question.asked.workload, over);
  return found;
}

Nearest measured(const std::vector<Experiment>& experiments, const Question& question) {
  Nearest found;
  for (const auto& experiment : experiments) {
    if (is_over(experiment, question) && !experiment.contestants.empty() &&
        (found.experiment == nullptr || experiment.contestants.size() > found.experiment->contestants.size())) {
      found.experiment = &experiment;
    }
  }
  if (found.experiment != nullptr) {
    found.differences = rated_by(*found.experiment, question).differences;
    found.others = beside(experiments, *found.experiment);
  }
  return found;
}

}  // namespace waggle::answers
