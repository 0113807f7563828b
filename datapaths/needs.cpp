// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "datapaths/datapath.hpp"

namespace waggle {

std::vector<Need> Datapath::needs(const ChannelOptions& options) const {
  std::vector<Need> needs;
  const std::uint64_t bytes = std::max(hugepage_bytes(true, options), hugepage_bytes(false, options));
  if (bytes > 0) {
    needs.push_back(
        {.kind = Need::Kind::hugepages,
         .what = fmt::format("{} of hugepages for each process; only root can reserve them", format_bytes(bytes))});
  }
  if (options.wait == Wait::spin) {
    needs.push_back(
        {.kind = Need::Kind::core, .what = "a core at each end that spins, also while nothing moves (--wait=spin)"});
  }
  return needs;
}

}  // namespace waggle
