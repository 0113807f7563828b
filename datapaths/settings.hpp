// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/option_table.hpp"
#include "datapaths/datapath.hpp"

namespace waggle {

/// What users can say of any channel: the members of ChannelOptions but those of the run (`receive_with`, `cancel`) and
/// `settings`, which the datapaths describe.
const OptionTable<ChannelOptions>& channel_options();

/// Fault::usage, naming it, when `options` set something that has no effect on `datapath` over their link: a member of
/// ChannelOptions, or an option of the datapath that is for other links. To be called before anything is opened.
Result<> check_heeded(const Datapath& datapath, const ChannelOptions& options);

/// What one "datapath.option" of ChannelOptions::settings means: Fault::usage when there is no such datapath or option,
/// or when the value is none of its.
Result<OptionValue> read_setting(std::string_view name, std::string_view value);

/// Fault::usage for the first of `settings` ("datapath.option") whose datapath is not among those `used`, or that
/// read_setting() refuses.
Result<> check_settings(const std::map<std::string, std::string>& settings, const std::vector<std::string>& used);

/// The options of one datapath as the user set them, over their defaults.
class Settings {
 public:
  /// Picks "datapath.option" entries; Fault::usage for an option that the datapath does not have, or a value that it
  /// does not take.
  static Result<Settings> of(std::string_view datapath, const std::vector<OptionInfo>& options,
                             const ChannelOptions& channel);

  /// As it was written.
  std::string text(std::string_view option) const;
  bool flag(std::string_view option) const;
  /// Of options that are numbers or bytes, within the bounds of their description.
  std::uint64_t number(std::string_view option) const;
  /// The same within narrower bounds, which follow from what the description cannot know; Fault::usage beyond them.
  Result<std::uint64_t> number(std::string_view option, std::uint64_t least, std::uint64_t most) const;
  /// Of options that are rates, shares or seconds.
  double real(std::string_view option) const;
  bool allow_fallback() const { return allow_fallback_; }

 private:
  struct Setting {
    OptionType type;
    OptionValue value;
    std::string text;
  };
  const Setting& at(std::string_view option) const { return values_.find(option)->second; }

  std::string datapath_;
  std::map<std::string, Setting, std::less<>> values_;
  bool allow_fallback_ = false;
};

}  // namespace waggle
