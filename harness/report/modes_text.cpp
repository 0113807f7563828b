// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/modes_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/mode.hpp"

namespace waggle::report {
namespace {

using Modes = std::vector<record::Mode>;

bool contains(const Modes& modes, const record::Mode& mode) {
  return std::ranges::find(modes, mode) != modes.end();
}

/// Those of `modes` that `other` has too, or those that it has not.
Modes those(const Modes& modes, bool shared, const Modes& other) {
  Modes found;
  std::ranges::copy_if(modes, std::back_inserter(found),
                       [&](const record::Mode& mode) { return contains(other, mode) == shared; });
  return found;
}

/// Whether something else was granted than what was asked for. Some requests leave the choice open.
bool is_other(const record::Mode& mode) {
  return mode.granted != mode.requested && !leaves_open(mode.requested);
}

std::string mode_text(const std::string& name, const record::Mode& mode, const Style& style) {
  std::vector<std::string> notes;
  if (mode.granted != mode.requested) {
    notes.push_back((is_other(mode) ? "not the requested " : "requested ") + mode.requested);
  }
  if (!mode.before.empty()) {
    notes.push_back(fmt::format("before {}", fmt::join(mode.before, ", then ")));
  }
  const auto text = notes.empty() ? fmt::format("{} {}", name, mode.granted)
                                  : fmt::format("{} {} ({})", name, mode.granted, fmt::join(notes, "; "));
  return is_other(mode) ? paint(style, Ink::warning, text) : text;
}

/// What is "server x" and "client x" alike is said once.
std::string modes_text(const Modes& modes, const Style& style) {
  constexpr std::string_view kServer = "server ";
  constexpr std::string_view kClient = "client ";
  std::vector<std::string> said;
  for (const auto& mode : modes) {
    const auto is_twin = [&](std::string_view mine, std::string_view other) {
      auto twin = mode;
      twin.name = std::string(other) + mode.name.substr(std::min(mine.size(), mode.name.size()));
      return mode.name.starts_with(mine) && contains(modes, twin);
    };
    if (!is_twin(kClient, kServer)) {
      said.push_back(mode_text(is_twin(kServer, kClient) ? mode.name.substr(kServer.size()) : mode.name, mode, style));
    }
  }
  return fmt::format("{}", fmt::join(said, ", "));
}

/// The modes of a contestant: of all its parties, and those that are not, by party.
struct Granted {
  Modes shared;
  std::vector<std::pair<record::Role, Modes>> own;
};

Granted granted(const record::Contestant& contestant) {
  Granted found;
  std::vector<const Modes*> all;
  for (const auto& party : contestant.parties) {
    if (party.facts) {
      all.push_back(&party.facts->modes);
      found.shared = all.size() == 1 ? party.facts->modes : those(found.shared, true, party.facts->modes);
    }
  }
  for (const auto& party : contestant.parties) {
    if (party.facts) {
      found.own.emplace_back(party.role, those(party.facts->modes, false, found.shared));
    }
  }
  return found;
}

Modes of_link(const record::Record& record, const std::string& link) {
  const auto found = record.environment.links.find(link);
  return found == record.environment.links.end() ? Modes{} : found->second.modes;
}

/// An entry of the list, wrapped; nothing when there is nothing to say.
std::string entry(std::string_view whose, const std::string& modes, const Style& style) {
  const std::string space(whose.size() < 8 ? 10 - whose.size() : 2, ' ');
  return modes.empty() ? ""
                       : wrap(style, "  " + paint(style, Ink::strong, std::string(whose)) + space + modes, 12) + "\n";
}

bool has_other(const Granted& modes) {
  return std::ranges::any_of(modes.shared, is_other) ||
         std::ranges::any_of(modes.own, [](const auto& some) { return std::ranges::any_of(some.second, is_other); });
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
  if (!rest.shared.empty()) {
    parts.push_back(modes_text(rest.shared, style));
  }
  for (const auto& [role, modes] : rest.own) {
    if (!modes.empty()) {
      parts.push_back(fmt::format("{}: {}", name(role), modes_text(modes, style)));
    }
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

std::string contestant_modes(const record::Record& record, const record::Contestant& contestant, const Style& style) {
  const auto modes = granted(contestant);
  const auto link = of_link(record, contestant.link);
  std::string list = entry(modes.own.size() == 2 ? "both" : "all", modes_text(modes.shared, style), style);
  for (const auto& [role, own] : modes.own) {
    list += entry(name(role), modes_text(own, style), style);
  }
  return titled(list + entry("link", modes_text(link, style), style),
                has_other(modes) || std::ranges::any_of(link, is_other), style);
}

std::string table_modes(const record::Record& record, const std::string& link,
                        const std::vector<const record::Contestant*>& contestants, const Style& style) {
  Modes common = contestants.size() > 1 ? granted(*contestants.front()).shared : Modes{};
  for (const auto* contestant : contestants) {
    common = those(common, true, granted(*contestant).shared);
  }
  const auto link_modes = of_link(record, link);
  bool other = std::ranges::any_of(link_modes, is_other);
  std::vector<std::pair<std::string, std::string>> entries;  // what is said, and of whom
  for (const auto* contestant : contestants) {
    auto rest = granted(*contestant);
    other = other || has_other(rest);
    rest.shared = those(rest.shared, false, common);
    const auto said = rest_text(rest, style);
    const auto same = std::ranges::find(entries, said, &std::pair<std::string, std::string>::first);
    if (same != entries.end()) {
      same->second += ", " + contestant->label;
    } else {
      entries.emplace_back(said, contestant->label);
    }
  }
  std::string list = entry("all", modes_text(common, style), style);
  for (const auto& [said, whose] : entries) {
    list += entry(whose, said, style);
  }
  return titled(list + entry("link", modes_text(link_modes, style), style), other, style);
}

}  // namespace waggle::report
