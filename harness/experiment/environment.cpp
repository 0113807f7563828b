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
  json link = site.link_json();
  // Inside, since sysctls and devices are those of a network namespace.
  WAGGLE_TRY(site.link().server().inside([&]() -> Result<> {
    environment = measure::environment();
    WAGGLE_LET(interface, measure::interface_facts(site.link().device()));
    link["interfaces"]["server"] = std::move(interface);
    return {};
  }));
  WAGGLE_TRY(site.link().client().inside([&]() -> Result<> {
    WAGGLE_LET(interface, measure::interface_facts(site.link().device()));
    link["interfaces"]["client"] = std::move(interface);
    return {};
  }));
  const auto reasons = measure::noise(calibration_, after, steal);
  environment["link"] = std::move(link);
  environment["calibration"] = {{"before", to_json(calibration_)}, {"after", to_json(after)}};
  environment["steal_share"] = steal;
  environment["noisy"] = !reasons.empty();
  environment["noise"] = reasons;
  return environment;
}

}  // namespace waggle::experiment
