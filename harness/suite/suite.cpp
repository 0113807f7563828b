// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>

#include "base/digest.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/spec_check.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::suite {

std::string Planned::label() const {
  std::string text = id;
  for (const auto& [name, value] : point) {
    text += fmt::format(", {}={}", name, value);
  }
  return text;
}

std::string digest_of(const experiment::Spec& spec) {
  nlohmann::json settings = experiment::to_json(spec);
  for (const char* of_a_call : {"seed", "work", "server_cpu", "client_cpu"}) {
    settings.erase(of_a_call);
  }
  const experiment::RunBounds bounds = experiment::run_bounds(spec);
  settings["least_runs"] = bounds.least;  // which may be said or follow
  settings["most_runs"] = bounds.most;
  for (auto& pair : settings["pairs"]) {
    pair.erase("link");  // follows from the rest, when it runs
  }
  const std::string text = record::json_text(settings);
  return waggle::digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(text))).hex(DigestKind::xxh3_128);
}

}  // namespace waggle::suite
