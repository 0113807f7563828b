// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "datapaths/datapath.hpp"

namespace waggle {

/// How an option of that name, or a datapath's as "afxdp.busy_poll", is called on the command line:
/// "--afxdp-busy-poll".
std::string on_command_line(std::string name);

/// Fault::usage, naming it, when `options` set something that has no effect on `datapath` over their link: a member of
/// ChannelOptions, or an option of the datapath that is for other links. To be called before anything is opened.
Result<> check_heeded(const Datapath& datapath, const ChannelOptions& options);

/// The options of one datapath as the user set them, over their defaults.
class Settings {
 public:
  /// Picks "datapath.option" entries; Fault::usage for an option that the datapath does not have.
  static Result<Settings> of(std::string_view datapath, const std::vector<OptionInfo>& options,
                             const ChannelOptions& channel);

  std::string text(std::string_view option) const;
  bool flag(std::string_view option) const;  ///< "yes", "on", "true", "1"
  /// A number with an optional suffix KiB, MiB or GiB, between `least` and `most`.
  Result<std::uint64_t> number(std::string_view option, std::uint64_t least, std::uint64_t most) const;
  bool allow_fallback() const { return allow_fallback_; }

 private:
  std::string datapath_;
  std::map<std::string, std::string, std::less<>> values_;
  bool allow_fallback_ = false;
};

}  // namespace waggle
