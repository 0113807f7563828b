// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace waggle {
namespace {

/// Of those that `harness run` has; an experiment decides the others itself.
constexpr std::string_view kWhereGroup = "Where and how";

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

const OptionTable<ChannelOptions>& channel_options() {
  using Type = OptionType;
  using Options = ChannelOptions;
  static const OptionTable<ChannelOptions> table{
      Option("congestion", &Options::congestion, Type::text("NAME"), "congestion control").in(kWhereGroup),
      Option("send_buffer", &Options::send_buffer, Type::bytes(), "of sockets; 0: the kernel decides").in(kWhereGroup),
      Option("receive_buffer", &Options::receive_buffer, Type::bytes(), "likewise").in(kWhereGroup),
      Option("wait", &Options::wait, "how a channel is waited for").in(kWhereGroup),
      Option("timeout_s", &Options::timeout, Type::seconds_above_zero(),
             "longest wait without progress, and 1 s per MiB for a disk")
          .called("--timeout"),
      Option("allow_fallback", &Options::allow_fallback, Type::flag(), "go on when the kernel grants less")
          .in(kWhereGroup),
      {"link", &Options::link, Type::text("LINK"), "what joins the hosts"},
      {"link_at", &Options::link_at, Type::text("PLACE"), "where it is, if that is not known otherwise"},
      {"mtu", &Options::mtu, Type::number(68, 65'535, 0),
       "bytes, where the kernel has no interface; 0: what the datapath likes"},
  };
  return table;
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

Result<OptionValue> read_setting(std::string_view name, std::string_view value) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  WAGGLE_LET(datapath, find_datapath(name.substr(0, dot)));
  const auto options = datapath->options();
  auto option = find_option(options, name.substr(std::min(dot + 1, name.size())));
  if (!option) {
    Error error = std::move(option).error();
    error.what = fmt::format("'{}' is not an option of {}", name, datapath->name());
    return std::unexpected(std::move(error));
  }
  auto read = (*option)->type.parse(value);
  if (!read) {
    return fail(Fault::usage, fmt::format("{}={} makes no sense", name, value), read.error().hint);
  }
  return read;
}

Result<> check_settings(const std::map<std::string, std::string>& settings, const std::vector<std::string>& used) {
  for (const auto& [name, value] : settings) {
    WAGGLE_TRY(read_setting(name, value));
    const std::string datapath = name.substr(0, name.find('.'));
    if (std::ranges::find(used, datapath) == used.end()) {
      return fail(Fault::usage, fmt::format("{}={} says nothing here: {} is not used", name, value, datapath),
                  fmt::format("leave it out, or choose {0} with --datapath={0}", datapath));
    }
  }
  return {};
}

Result<Settings> Settings::of(std::string_view datapath, const std::vector<OptionInfo>& options,
                              const ChannelOptions& channel) {
  Settings settings;
  settings.datapath_ = datapath;
  settings.allow_fallback_ = channel.allow_fallback;
  for (const OptionInfo& option : options) {
    const std::string name = fmt::format("{}.{}", datapath, option.name);
    const auto set = channel.settings.find(name);
    const std::string& text = set == channel.settings.end() ? option.default_value : set->second;
    auto value = option.type.parse(text);
    if (!value) {
      return fail(Fault::usage, fmt::format("{}={} makes no sense", name, text), value.error().hint);
    }
    settings.values_.emplace(option.name, Setting{option.type, *std::move(value), text});
  }
  const std::string prefix = fmt::format("{}.", datapath);
  for (const auto& [name, value] : channel.settings) {
    if (name.starts_with(prefix) && !settings.values_.contains(name.substr(prefix.size()))) {
      std::vector<std::string_view> names;
      std::ranges::transform(options, std::back_inserter(names), &OptionInfo::name);
      return fail(Fault::usage, fmt::format("'{}' is not an option of {}", name, datapath),
                  names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", ")));
    }
  }
  return settings;
}

std::string Settings::text(std::string_view option) const {
  return at(option).text;
}

bool Settings::flag(std::string_view option) const {
  return std::get<bool>(at(option).value);
}

std::uint64_t Settings::number(std::string_view option) const {
  return std::get<std::uint64_t>(at(option).value);
}

double Settings::real(std::string_view option) const {
  return std::get<double>(at(option).value);
}

Result<std::uint64_t> Settings::number(std::string_view option, std::uint64_t least, std::uint64_t most) const {
  const Setting& setting = at(option);
  const std::uint64_t value = std::get<std::uint64_t>(setting.value);
  if (value < least || value > most) {
    return fail(Fault::usage, fmt::format("{}.{}={} makes no sense", datapath_, option, setting.text),
                fmt::format("give {} to {}", setting.type.print(least), setting.type.print(most)));
  }
  return value;
}

}  // namespace waggle
