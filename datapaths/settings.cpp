// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace waggle {
namespace {

bool is_yes(std::string_view value) {
  return value == "yes" || value == "on" || value == "true" || value == "1";
}

bool is_no(std::string_view value) {
  return value == "no" || value == "off" || value == "false" || value == "0";
}

}  // namespace

Result<Settings> Settings::of(std::string_view datapath, const std::vector<OptionInfo>& options,
                              const ChannelOptions& channel) {
  Settings settings;
  settings.datapath_ = datapath;
  settings.allow_fallback_ = channel.allow_fallback;
  for (const auto& option : options) {
    settings.values_.emplace(option.name, option.default_value);
  }
  const std::string prefix = fmt::format("{}.", datapath);
  for (const auto& [name, value] : channel.settings) {
    if (!name.starts_with(prefix)) {
      continue;
    }
    const auto known = settings.values_.find(name.substr(prefix.size()));
    if (known == settings.values_.end()) {
      std::vector<std::string_view> names;
      std::ranges::transform(options, std::back_inserter(names), &OptionInfo::name);
      return fail(Fault::usage, fmt::format("'{}' is not an option of {}", name, datapath),
                  names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", ")));
    }
    // What is a flag shows in its default.
    if ((known->second == "yes" || known->second == "no") && !is_yes(value) && !is_no(value)) {
      return fail(Fault::usage, fmt::format("{}={} makes no sense", name, value), "choose yes or no");
    }
    known->second = value;
  }
  return settings;
}

std::string Settings::text(std::string_view option) const {
  return values_.find(option)->second;
}

bool Settings::flag(std::string_view option) const {
  return is_yes(text(option));
}

Result<std::uint64_t> Settings::number(std::string_view option, std::uint64_t least, std::uint64_t most) const {
  const std::string value = text(option);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  const int shift = unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : 0;
  const bool readable = error == std::errc() && (unit.empty() || shift != 0) && number <= (most >> shift);
  number <<= shift;
  if (!readable || number < least) {
    return fail(Fault::usage, fmt::format("{}.{}={} makes no sense", datapath_, option, value),
                fmt::format("give a number from {} to {}, as in 256KiB", least, most));
  }
  return number;
}

}  // namespace waggle
