// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.hpp"
#include "base/words.hpp"

namespace waggle {

/// Between the type of a member and OptionValue: one overload per kind of member.
template <typename T>
OptionValue value_from(const T& member) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, std::string> ||
                std::same_as<T, std::vector<std::string>>) {
    return member;
  } else if constexpr (std::integral<T>) {
    return static_cast<std::uint64_t>(member);
  } else if constexpr (Worded<T>) {
    return std::string(word_of(member));
  } else if constexpr (std::same_as<T, std::filesystem::path>) {
    return member.string();
  } else if constexpr (std::same_as<T, std::optional<std::filesystem::path>>) {
    return member ? OptionValue(member->string()) : OptionValue();
  } else {
    static_assert(std::same_as<T, std::chrono::nanoseconds>);
    return std::chrono::duration<double>(member).count();
  }
}

/// `value` fits the option's type, which fits the member.
template <typename T>
void set_member(T& member, const OptionValue& value) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, std::string> ||
                std::same_as<T, std::vector<std::string>>) {
    member = std::get<T>(value);
  } else if constexpr (std::integral<T>) {
    member = static_cast<T>(std::get<std::uint64_t>(value));
  } else if constexpr (Worded<T>) {
    member = value_of<T>(std::get<std::string>(value)).value();
  } else if constexpr (std::same_as<T, std::filesystem::path>) {
    member = std::get<std::string>(value);
  } else if constexpr (std::same_as<T, std::optional<std::filesystem::path>>) {
    const auto* path = std::get_if<std::string>(&value);
    member = path == nullptr ? std::nullopt : T(*path);
  } else {
    static_assert(std::same_as<T, std::chrono::nanoseconds>);
    member = T(std::llround(std::get<double>(value) * 1e9));  // a cast would cut 1.001 s to 1000999999 ns
  }
}

/// `type` with no value that a `T` cannot hold.
template <typename T>
OptionType held_by(OptionType type) {
  if constexpr (std::integral<T>) {
    if (type.kind == OptionType::Kind::number || type.kind == OptionType::Kind::bytes) {
      type.most = std::min(type.most, static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
    }
  }
  return type;
}

/// An option and the member of `S` that holds its value.
template <typename S>
struct Option {
  OptionInfo info;
  std::function<OptionValue(const S&)> get;
  std::function<void(S&, const OptionValue&)> set;

  template <typename T>
  Option(std::string name, T S::* member, OptionType type, std::string help)
      : info{.name = std::move(name),
             .default_value = {},
             .type = held_by<T>(std::move(type)),
             .help = std::move(help)},
        get([member](const S& of) { return value_from(of.*member); }),
        set([member](S& of, const OptionValue& value) { set_member(of.*member, value); }) {
    S usual;
    info.default_value = info.type.print(get(usual));
  }
  /// One of the words of an enum.
  template <Worded E>
  Option(std::string name, E S::* member, std::string help)
      : Option(std::move(name), member, OptionType::choice(choices_of<E>()), std::move(help)) {}

  /// Its name on the command line, where that does not follow from the other one.
  Option called(std::string flag) && {
    info.flag = std::move(flag);
    return std::move(*this);
  }
  /// What stands for a value in --help, where there are too many words to choose from.
  Option shown_as(std::string text) && {
    info.type.shown = std::move(text);
    return std::move(*this);
  }
  /// Shows it in --help, among others of this group.
  Option in(std::string_view group) && {
    info.group = group;
    return std::move(*this);
  }
};

/// The options whose values an `S` holds. Their defaults are those of S{}.
template <typename S>
class OptionTable {
 public:
  OptionTable(std::initializer_list<Option<S>> options) : options_(options) {
    for (const Option<S>& option : options_) {
      infos_.push_back(option.info);
    }
  }

  const std::vector<OptionInfo>& infos() const { return infos_; }

  /// Fault::usage, naming the option, when there is none of this name or the value does not fit.
  Result<> set(S& into, std::string_view name, const OptionValue& value) const {
    WAGGLE_LET(info, find_option(infos_, name));
    if (auto fits = info->type.check(value); !fits) {
      return in_option(name, std::move(fits).error());
    }
    at(name).set(into, value);
    return {};
  }
  /// The same from text.
  Result<> parse(S& into, std::string_view name, std::string_view text) const {
    WAGGLE_LET(info, find_option(infos_, name));
    auto value = info->type.parse(text);
    if (!value) {
      return in_option(name, std::move(value).error());
    }
    at(name).set(into, *value);
    return {};
  }
  /// Those of `values` that are options of this table, which fit; the others keep their defaults.
  S read(const OptionValues& values) const {
    S made;
    for (const Option<S>& option : options_) {
      if (const auto found = values.find(option.info.name); found != values.end()) {
        option.set(made, found->second);
      }
    }
    return made;
  }
  OptionValues values(const S& of) const {
    OptionValues all;
    for (const Option<S>& option : options_) {
      all.emplace(option.info.name, option.get(of));
    }
    return all;
  }
  /// Fault::usage for the first member that does not fit its option.
  Result<> check(const S& of) const {
    for (const Option<S>& option : options_) {
      if (auto fits = option.info.type.check(option.get(of)); !fits) {
        return in_option(option.info.on_command_line(), std::move(fits).error());
      }
    }
    return {};
  }

 private:
  const Option<S>& at(std::string_view name) const {
    return *std::ranges::find_if(options_, [&](const Option<S>& option) { return option.info.name == name; });
  }

  std::vector<Option<S>> options_;
  std::vector<OptionInfo> infos_;
};

}  // namespace waggle
