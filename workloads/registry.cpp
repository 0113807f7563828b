// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "workloads/workload.hpp"

namespace waggle::workloads {

const std::vector<const Workload*>& workloads() {
  return Registry<Workload>::instance().all();
}

Result<const Workload*> find_workload(std::string_view name) {
  const auto& registry = Registry<Workload>::instance();
  if (const Workload* found = registry.find(name)) {
    return found;
  }
  return fail(Fault::usage, fmt::format("no workload is called '{}'", name),
              fmt::format("choose one of: {}", fmt::join(registry.names(), ", ")));
}

const OptionTable<Parameters>& common_options() {
  static const OptionTable<Parameters> table{
      Option("clients", &Parameters::clients, OptionType::number(1, 1024), "connections at once, each doing all of it")
          .in("Workload"),
      {"seed", &Parameters::seed, OptionType::number(), "of contents, sizes and order"},
      {"sink", &Parameters::sink, "what becomes of payload at the client"},
  };
  return table;
}

std::unexpected<Error> says_nothing(std::string_view option, const Workload& workload) {
  std::vector<std::string> known;
  std::ranges::transform(workload.options(), std::back_inserter(known), &OptionInfo::on_command_line);
  return fail(Fault::usage, fmt::format("{} says nothing to the workload {}", option, workload.name()),
              known.empty() ? "leave it out" : fmt::format("it takes {}", fmt::join(known, ", ")));
}

Result<OptionValues> own_values(const Workload& workload, const OptionValues& values) {
  OptionValues own;
  for (const OptionInfo& option : workload.options()) {
    WAGGLE_LET(value, option.type.parse(option.default_value));
    own.emplace(option.name, std::move(value));
  }
  for (const auto& [name, value] : values) {
    const auto option = std::ranges::find(workload.options(), name, &OptionInfo::name);
    if (option == workload.options().end()) {
      return says_nothing(on_command_line(name), workload);
    }
    if (auto fits = option->type.check(value); !fits) {
      return in_option(option->on_command_line(), std::move(fits).error());
    }
    own[name] = value;
  }
  return own;
}

void Outcome::merge(const Outcome& other) {
  payload_bytes += other.payload_bytes;
  operations += other.operations;
  start_ns = start_ns == 0 ? other.start_ns : std::min(start_ns, other.start_ns);
  end_ns = std::max(end_ns, other.end_ns);
  verify_ns += other.verify_ns;
  for (const auto& [operation, histogram] : other.latency_ns) {
    latency_ns[operation].merge(histogram);
  }
}

}  // namespace waggle::workloads
