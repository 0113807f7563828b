// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/modes_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace waggle::cli {
namespace {

using nlohmann::json;
using Modes = std::vector<json>;

bool contains(const Modes& modes, const json& mode) {
  return std::ranges::find(modes, mode) != modes.end();
}

/// Those of `modes` that `other` has too, or those that it has not.
Modes those(const Modes& modes, bool shared, const Modes& other) {
  Modes found;
  std::ranges::copy_if(modes, std::back_inserter(found),
                       [&](const json& mode) { return contains(other, mode) == shared; });
  return found;
}

/// Whether something else was granted than what was asked for. Some requests leave the choice open.
bool is_other(const json& mode) {
  constexpr std::array<std::string_view, 3> kOpen{"auto", "inherited", "largest"};
  const auto requested = mode.at("requested").get<std::string>();
  return mode.at("granted") != requested && std::ranges::find(kOpen, requested) == kOpen.end();
}

std::string mode_text(const std::string& name, const json& mode, const Style& style) {
  const auto requested = mode.at("requested").get<std::string>();
  const auto got = mode.at("granted").get<std::string>();
  std::vector<std::string> notes;
  if (got != requested) {
    notes.push_back((is_other(mode) ? "not the requested " : "requested ") + requested);
  }
  if (const auto before = mode.find("before"); before != mode.end()) {
    notes.push_back(fmt::format("before {}", fmt::join(before->get<std::vector<std::string>>(), ", then ")));
  }
  const auto text =
      notes.empty() ? fmt::format("{} {}", name, got) : fmt::format("{} {} ({})", name, got, fmt::join(notes, "; "));
  return is_other(mode) ? paint(style, Ink::warning, text) : text;
}

/// What is "server x" and "client x" alike is said once.
std::string modes_text(const Modes& modes, const Style& style) {
  constexpr std::string_view kServer = "server ";
  constexpr std::string_view kClient = "client ";
  std::vector<std::string> said;
  for (const auto& mode : modes) {
    const auto name = mode.at("name").get<std::string>();
    const auto is_twin = [&](std::string_view mine, std::string_view other) {
      auto twin = mode;
      twin["name"] = std::string(other) + name.substr(std::min(mine.size(), name.size()));
      return name.starts_with(mine) && contains(modes, twin);
    };
    if (!is_twin(kClient, kServer)) {
      said.push_back(mode_text(is_twin(kServer, kClient) ? name.substr(kServer.size()) : name, mode, style));
    }
  }
  return fmt::format("{}", fmt::join(said, ", "));
}

/// The modes of a pair: of both its sides, and of one of them only.
struct Granted {
  Modes both;
  Modes sender;
  Modes receiver;
};

Granted granted(const json& pair) {
  const auto& facts = pair.at("facts");
  const auto sender = facts.at("sender").at("modes").get<Modes>();
  const auto receiver = facts.at("receiver").at("modes").get<Modes>();
  return {those(sender, true, receiver), those(sender, false, receiver), those(receiver, false, sender)};
}

Modes of_link(const json& record, const std::string& link) {
  const auto& links = record.at("environment").at("links");
  return links.contains(link) ? links.at(link).at("modes").get<Modes>() : Modes{};
}

/// An entry of the list, wrapped; nothing when there is nothing to say.
std::string entry(const std::string& whose, const std::string& modes, const Style& style) {
  const std::string space(whose.size() < 8 ? 10 - whose.size() : 2, ' ');
  return modes.empty() ? "" : wrap(style, "  " + paint(style, Ink::strong, whose) + space + modes, 12) + "\n";
}

bool has_other(const Granted& modes) {
  return std::ranges::any_of(std::array{&modes.both, &modes.sender, &modes.receiver},
                             [](const Modes* some) { return std::ranges::any_of(*some, is_other); });
}

/// The list under its title, which tells a reader whether to look for what was not granted.
std::string titled(const std::string& list, bool other, const Style& style) {
  const auto title = other ? paint(style, Ink::warning, "not all was granted as requested:")
                           : paint(style, Ink::strong, "granted as requested, unless said otherwise");
  return list.empty() ? "" : "\n" + title + "\n" + list;
}

/// "gro on; sender: driver a; receiver: driver b".
std::string rest_text(const Granted& rest, const Style& style) {
  std::vector<std::string> parts;
  const auto add = [&](const char* whose, const Modes& modes) {
    if (!modes.empty()) {
      parts.push_back(whose + modes_text(modes, style));
    }
  };
  add("", rest.both);
  add("sender: ", rest.sender);
  add("receiver: ", rest.receiver);
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

std::string pair_modes(const json& record, const json& pair, const Style& style) {
  const auto modes = granted(pair);
  const auto link = of_link(record, pair.value("link", ""));
  return titled(
      entry("both", modes_text(modes.both, style), style) + entry("sender", modes_text(modes.sender, style), style) +
          entry("receiver", modes_text(modes.receiver, style), style) + entry("link", modes_text(link, style), style),
      has_other(modes) || std::ranges::any_of(link, is_other), style);
}

std::string table_modes(const json& record, const std::string& link, const std::vector<const json*>& pairs,
                        const Style& style) {
  Modes common = pairs.size() > 1 ? granted(*pairs.front()).both : Modes{};
  for (const json* pair : pairs) {
    common = those(common, true, granted(*pair).both);
  }
  const auto link_modes = of_link(record, link);
  bool other = std::ranges::any_of(link_modes, is_other);
  std::vector<std::pair<std::string, std::string>> entries;  // what is said, and of whom
  for (const json* pair : pairs) {
    auto rest = granted(*pair);
    other = other || has_other(rest);
    rest.both = those(rest.both, false, common);
    const auto said = rest_text(rest, style);
    const auto label = pair->at("label").get<std::string>();
    const auto same = std::ranges::find(entries, said, &std::pair<std::string, std::string>::first);
    if (same != entries.end()) {
      same->second += ", " + label;
    } else {
      entries.emplace_back(said, label);
    }
  }
  std::string list = entry("all", modes_text(common, style), style);
  for (const auto& [said, whose] : entries) {
    list += entry(whose, said, style);
  }
  return titled(list + entry("link", modes_text(link_modes, style), style), other, style);
}

}  // namespace waggle::cli
