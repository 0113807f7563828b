// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/words.hpp"

/// The words of a record that are one of a few, with the one table of each that prints and parses it. No other file
/// spells them.
namespace waggle::record {

/// What a party does in a run: it sends or receives payload, passes it on, keeps files for others, or is one of equals.
enum class Role { sender, receiver, relay, store, peer };

/// Which of a contestant's runs a run is. `moved`: a timed one that does not count, since its CPUs were moved
/// meanwhile.
enum class Kind { warmup, timed, probed, moved };

enum class Outcome { ok, failed };              ///< of a run
enum class Status { ok, failed, unavailable };  ///< of a contestant

/// How a figure of copies is known, the best first.
enum class Grade { counted, traced, modelled };
enum class Place { kernel, user };

/// Why a contestant was given so many runs.
enum class Stop { no, interval, budget, most_runs, placement, interrupted };

/// What becomes of runs between CPUs that were moved: `same`: they are repeated, and figures come from the runs of one
/// placement that all contestants have; `report`: as before, but nothing is repeated; `any`: all runs count.
enum class PlacementRule { same, report, any };

template <typename E>
using NamesOf = std::pair<E, std::string_view>;

/// The table of an enumeration; nothing for a type that has none.
template <typename E>
inline constexpr std::array<NamesOf<int>, 0> kNames{};
template <>
inline constexpr std::array kNames<Role>{NamesOf<Role>{Role::sender, "sender"},
                                         NamesOf<Role>{Role::receiver, "receiver"}, NamesOf<Role>{Role::relay, "relay"},
                                         NamesOf<Role>{Role::store, "store"}, NamesOf<Role>{Role::peer, "peer"}};
template <>
inline constexpr std::array kNames<Kind>{NamesOf<Kind>{Kind::warmup, "warmup"}, NamesOf<Kind>{Kind::timed, "timed"},
                                         NamesOf<Kind>{Kind::probed, "probed"}, NamesOf<Kind>{Kind::moved, "moved"}};
template <>
inline constexpr std::array kNames<Outcome>{NamesOf<Outcome>{Outcome::ok, "ok"},
                                            NamesOf<Outcome>{Outcome::failed, "failed"}};
template <>
inline constexpr std::array kNames<Status>{NamesOf<Status>{Status::ok, "ok"}, NamesOf<Status>{Status::failed, "failed"},
                                           NamesOf<Status>{Status::unavailable, "unavailable"}};
template <>
inline constexpr std::array kNames<Grade>{NamesOf<Grade>{Grade::counted, "counted"},
                                          NamesOf<Grade>{Grade::traced, "traced"},
                                          NamesOf<Grade>{Grade::modelled, "modelled"}};
template <>
inline constexpr std::array kNames<Place>{NamesOf<Place>{Place::kernel, "kernel"}, NamesOf<Place>{Place::user, "user"}};
template <>
inline constexpr std::array kNames<Stop>{
    NamesOf<Stop>{Stop::interval, "interval"},       NamesOf<Stop>{Stop::budget, "budget"},
    NamesOf<Stop>{Stop::most_runs, "most_runs"},     NamesOf<Stop>{Stop::placement, "placement"},
    NamesOf<Stop>{Stop::interrupted, "interrupted"}, NamesOf<Stop>{Stop::no, "no"}};
template <>
inline constexpr std::array kNames<PlacementRule>{NamesOf<PlacementRule>{PlacementRule::same, "same"},
                                                  NamesOf<PlacementRule>{PlacementRule::report, "report"},
                                                  NamesOf<PlacementRule>{PlacementRule::any, "any"}};

template <typename E>
concept Named = !kNames<E>.empty();

template <Named E>
constexpr std::string_view name(E value) {
  const auto* const found = std::ranges::find(kNames<E>, value, &NamesOf<E>::first);
  return found == kNames<E>.end() ? std::string_view() : found->second;
}

template <Named E>
constexpr std::optional<E> named(std::string_view name) {
  const auto* const found = std::ranges::find(kNames<E>, name, &NamesOf<E>::second);
  return found == kNames<E>.end() ? std::nullopt : std::optional(found->first);
}

/// The same table as options have it (base/words.hpp): a word of a record may be one of the command line, too.
template <Named E>
constexpr auto words_of(E) {
  std::array<Word<E>, kNames<E>.size()> words{};
  std::ranges::transform(kNames<E>, words.begin(),
                         [](const NamesOf<E>& one) { return Word<E>{one.first, one.second}; });
  return words;
}

/// What a party of this role does, as a heading has it.
constexpr std::string_view verb(Role role) {
  return role == Role::sender ? "send" : role == Role::receiver ? "receive" : name(role);
}

/// The party of a role in a list of what is known of each; null when there is none. Of several the first.
template <typename List>
constexpr auto find(List& parties, Role role) -> decltype(parties.data()) {
  const auto found = std::ranges::find_if(parties, [&](const auto& party) { return party.role == role; });
  return found == parties.end() ? nullptr : &*found;
}

}  // namespace waggle::record
