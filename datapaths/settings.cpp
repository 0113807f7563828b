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

std::vector<std::string_view> who_heeds(ChannelOption option, std::string_view link) {
  std::vector<std::string_view> names;
  for (const Datapath* datapath : datapaths()) {
    const auto links = datapath->links();
    if (datapath->heeds(option) && std::ranges::find(links, link) != links.end()) {
      names.push_back(datapath->name());
    }
  }
  return names;
}

}  // namespace

std::string on_command_line(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == '_' || c == '.'; }, '-');
  return "--" + name;
}

Result<> check_heeded(const Datapath& datapath, const ChannelOptions& options) {
  struct Given {
    ChannelOption option;
    const char* name;
    bool set;
  };
  for (const auto& [option, name, set] :
       {Given{ChannelOption::send_buffer, "send_buffer", options.send_buffer != 0},
        Given{ChannelOption::receive_buffer, "receive_buffer", options.receive_buffer != 0},
        Given{ChannelOption::mtu, "mtu", options.mtu != 0},
        Given{ChannelOption::pci, "pci", options.link == "nic" && !options.link_at.empty()}}) {
    if (set && !datapath.heeds(option)) {
      const auto others = who_heeds(option, options.link);
      return fail(Fault::usage,
                  fmt::format("{} says nothing to {} over {}", on_command_line(name), datapath.name(), options.link),
                  others.empty()
                      ? "leave it out"
                      : fmt::format("leave it out, or choose one that heeds it: {}", fmt::join(others, ", ")));
    }
  }
  for (const OptionInfo& option : datapath.options()) {
    const std::string name = fmt::format("{}.{}", datapath.name(), option.name);
    if (!option.links.empty() && options.settings.contains(name) &&
        std::ranges::find(option.links, options.link) == option.links.end()) {
      return fail(Fault::usage,
                  fmt::format("{} says nothing to {} over {}", on_command_line(name), datapath.name(), options.link),
                  fmt::format("leave it out, or choose --link={}", fmt::join(option.links, "|")));
    }
  }
  return {};
}

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
