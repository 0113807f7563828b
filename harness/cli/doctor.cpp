// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "datapaths/datapath.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/limit_capabilities.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/experiment/json_text.hpp"
#include "harness/measure/capabilities.hpp"
#include "harness/measure/cpu_topology.hpp"
#include "harness/measure/placement.hpp"
#include "harness/report/style.hpp"

namespace waggle::cli {
namespace {

using measure::Capability;

/// Datapaths are asked one by one; each knows what it needs.
std::vector<Capability> datapath_capabilities() {
  std::vector<Capability> found;
  for (const auto* datapath : datapaths()) {
    Capability one{.name = fmt::format("datapath {}", datapath->name()),
                   .need = fmt::format("--datapath={}", datapath->name()),
                   .required = false};
    const auto available = datapath->available();
    one.works = available.has_value();
    if (!available) {
      one.why_not = available.error().what;
      one.remedy = available.error().hint;
    }
    found.push_back(std::move(one));
  }
  return found;
}

/// How far the CPUs that experiments use are from each other, now.
struct Distance {
  int server = 0;
  int client = 0;
  measure::Shared shared = measure::Shared::machine;
  std::optional<double> round_trip_ns;
};

Result<Distance> measure_distance(const std::string& cpus) {
  WAGGLE_LET(chosen, experiment::parse_cpus(cpus, {}));
  const auto [server, client] = chosen;
  WAGGLE_LET(nanoseconds, measure::round_trip_ns(server, client));
  return Distance{.server = server,
                  .client = client,
                  .shared = measure::CpuTopology::read().shared(server, client),
                  .round_trip_ns = nanoseconds};
}

nlohmann::json describe(const Distance& distance) {
  return {{"server_cpu", distance.server},
          {"client_cpu", distance.client},
          {"share", name(distance.shared)},
          {"round_trip_ns", distance.round_trip_ns ? nlohmann::json(*distance.round_trip_ns) : nlohmann::json()}};
}

void print(const Distance& distance, const report::Style& style) {
  if (distance.server == distance.client) {
    fmt::print("     placement: there is one CPU, {}, for server and client\n", distance.server);
    return;
  }
  const auto line = fmt::format(
      "placement: a cache line takes {} from CPU {} to CPU {} and back; the machine says that they share {}",
      distance.round_trip_ns ? fmt::format("{:.0f} ns", *distance.round_trip_ns) : "too long, since they are busy,",
      distance.server, distance.client, measure::text(distance.shared));
  fmt::print("     {}\n", report::wrap(style, line, 5));
}

nlohmann::json describe(const std::vector<Capability>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& one : all) {
    list.push_back({{"name", one.name},
                    {"need", one.need},
                    {"required", one.required},
                    {"works", one.works},
                    {"why_not", one.why_not},
                    {"remedy", one.remedy}});
  }
  return list;
}

void print(const std::vector<Capability>& all, const report::Style& style) {
  std::size_t widest = 0;
  for (const auto& one : all) {
    widest = std::max(widest, report::columns(one.name));
  }
  for (const auto& one : all) {
    const report::Ink ink = one.works ? report::Ink::good : one.required ? report::Ink::bad : report::Ink::warning;
    const auto* mark = one.works ? "yes" : one.required ? "NO" : "no";
    const std::string space(widest - report::columns(one.name), ' ');
    fmt::print("{}{}  {}{}  {}\n", std::string(3 - report::columns(mark), ' '), report::paint(style, ink, mark),
               one.name, space, report::paint(style, report::Ink::faint, "for " + one.need));
    if (!one.works) {
      fmt::print("     {}\n", report::wrap(style, printable(one.why_not), 5));
      if (!one.remedy.empty()) {
        fmt::print("     {} {}\n", report::paint(style, report::Ink::strong, "fix:"), printable(one.remedy));
      }
    }
  }
}

/// What can run here, what cannot, why, and the command that would fix it.
class Doctor final : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override { return "what can run here, what cannot, why, and how to fix it"; }
  std::string_view examples() const override {
    return "  harness doctor\n"
           "  sudo harness doctor\n"
           "  harness doctor --placement --cpus=far         # only how far these CPUs are from each other, now\n"
           "  harness doctor --json | jq -r '.capabilities[] | select(.works | not) | .remedy'\n";
  }
  void add_options(CLI::App& app) override {
    app.add_flag("--placement", placement_, "only how far the CPUs of server and client are from each other");
    app.add_option("--cpus", cpus_, "which: near, far, siblings, or N,M (as run chooses them)")->option_text("CPUS");
  }

  Result<> run(const Global& global) override {
    const auto distance = measure_distance(cpus_);
    if (placement_ || cpus_ != "auto") {
      WAGGLE_TRY(distance);
    }
    if (placement_) {
      global.json ? fmt::print("{}\n", experiment::json_text({{"placement", describe(*distance)}}, 2))
                  : print(*distance, output_style(global));
      return {};
    }
    auto all = measure::capabilities();
    std::ranges::move(limit_capabilities(), std::back_inserter(all));
    std::ranges::move(datapath_capabilities(), std::back_inserter(all));
    std::vector<std::string> lacking;
    for (const auto& one : all) {
      if (one.required && !one.works) {
        lacking.push_back(one.name);
      }
    }
    if (global.json) {
      fmt::print("{}\n", experiment::json_text({{"ready", lacking.empty()},
                                                {"capabilities", describe(all)},
                                                {"placement", distance ? describe(*distance) : nlohmann::json()}},
                                               2));
    } else {
      print(all, output_style(global));
      if (distance) {
        print(*distance, output_style(global));
      }
    }
    if (lacking.empty()) {
      return {};
    }
    return fail(Fault::missing, fmt::format("experiments cannot run here without: {}", fmt::join(lacking, ", ")),
                "the lines marked NO say how to get it");
  }

 private:
  bool placement_ = false;
  std::string cpus_ = "auto";
};

const Registration doctor_registration{std::make_unique<Doctor>()};

}  // namespace
}  // namespace waggle::cli
