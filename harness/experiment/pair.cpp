// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

std::string default_receiver(const std::string& sender) {
  const auto datapath = find_datapath(sender);
  return datapath ? std::string((*datapath)->usual_receiver()) : sender;
}

Result<std::string> resolve_link(const Datapath& sender, const Datapath& receiver, std::string_view asked) {
  auto common = sender.links();
  const auto others = receiver.links();
  std::erase_if(common, [&](std::string_view link) { return std::ranges::find(others, link) == others.end(); });
  const std::string both = sender.name() == receiver.name() ? std::string(sender.name())
                                                            : fmt::format("{} with {}", sender.name(), receiver.name());
  if (common.empty()) {
    return fail(Fault::usage, fmt::format("no link runs {}", both), "see harness list");
  }
  const auto found = asked == "auto" ? common.begin() : std::ranges::find(common, asked);
  if (found == common.end()) {
    return fail(Fault::usage, fmt::format("{} does not run over {}", both, asked),
                fmt::format("choose --link={}", fmt::join(common, "|")));
  }
  return std::string(*found);
}

std::string Pair::label() const {
  return receiver.empty() || receiver == default_receiver(sender) ? sender : sender + "+" + receiver;
}

}  // namespace waggle::experiment
