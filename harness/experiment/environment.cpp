// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/environment.hpp"

#include "harness/measure/environment.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

json to_json(const measure::Calibration& calibration) {
  return {{"arithmetic_ns", calibration.arithmetic_ns},
          {"memory_ns", calibration.memory_ns},
          {"spread", calibration.spread}};
}

}  // namespace

Surroundings::Surroundings() : times_(read_machine()), calibration_(measure::calibrate()) {}

Result<json> Surroundings::finish(const Site& site) const {
  const measure::Calibration after = measure::calibrate();
  const double steal = steal_share(times_, read_machine());
  json environment;
  json links = json::object();
  for (const auto& [kind, link] : site.links()) {
    json entry = site.link_json(kind);
    // Inside, since sysctls and devices are those of a network namespace.
    const auto look = [&](const topology::NetworkNamespace& where, const char* end) {
      return where.inside([&]() -> Result<> {
        if (environment.is_null()) {
          environment = measure::environment();
        }
        entry["interfaces"][end] = json::object();
        if (!link.device().empty()) {
          WAGGLE_LET(interface, measure::interface_facts(link.device()));
          entry["interfaces"][end] = std::move(interface);
        }
        return {};
      });
    };
    WAGGLE_TRY(look(link.server(), "server"));
    WAGGLE_TRY(look(link.client(), "client"));
    links[kind] = std::move(entry);
  }
  if (environment.is_null()) {
    environment = measure::environment();
  }
  const auto reasons = measure::noise({.before = calibration_, .after = after, .steal_share = steal});
  environment["links"] = std::move(links);
  environment["calibration"] = {{"before", to_json(calibration_)}, {"after", to_json(after)}};
  environment["steal_share"] = steal;
  environment["noisy"] = !reasons.empty();
  environment["noise"] = reasons;
  return environment;
}

}  // namespace waggle::experiment
