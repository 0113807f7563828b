// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/saying.hpp"

#include "datapaths/settings.hpp"

namespace waggle::experiment {

const std::vector<OptionInfo>& channel_options_to_say() {
  static const std::vector<OptionInfo> options = [] {
    std::vector<OptionInfo> chosen = channel_options().infos();
    std::erase_if(chosen, [](const OptionInfo& option) { return option.group.empty(); });
    return chosen;
  }();
  return options;
}

const OptionInfo& runs_option() {
  static const OptionInfo option{
      .name = "runs",
      .default_value = "",
      .type = OptionType::number(1, 100'000),
      .help = "exactly so many timed runs",
      .group = "Repetitions",
  };
  return option;
}

Result<> say_runs(Spec& spec, Said& said, std::uint64_t runs) {
  for (const char* other : {"least_runs", "most_runs", "budget_seconds"}) {
    if (said.contains(other)) {
      return fail(Fault::usage, "--runs says it all", "leave out --least-runs, --most-runs and --budget");
    }
  }
  spec.least_runs = spec.most_runs = static_cast<std::uint32_t>(runs);
  said.insert({"least_runs", "most_runs"});
  return {};
}

}  // namespace waggle::experiment
