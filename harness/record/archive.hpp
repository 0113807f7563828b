// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/text.hpp"
#include "harness/record/names.hpp"
#include "harness/record/opaque.hpp"

/// What walks the descriptions of types. A description calls, for each member:
/// - member(name, value): it is always there;
/// - nullable(name, optional): it is always there, and null when there is no value;
/// - optional(name, value): it is left out when there is no value, or when the list or text is empty;
/// - expected(name, optional): it must be there, though the value can be without (under when());
/// - rest(opaque): all members that the description does not name;
/// and asks when(condition) before members that hang on others.
namespace waggle::record {

struct AnyArchive;  // only named, to ask whether a type has a description

template <typename T>
concept Described = std::is_class_v<T> && requires(T& value, AnyArchive& archive) { T::fields(value, archive); };
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsList = false;
template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsMap = false;
template <typename T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <typename T>
inline constexpr bool kIsPair = false;
template <typename A, typename B>
inline constexpr bool kIsPair<std::pair<A, B>> = true;

template <typename T>
nlohmann::json write(const T& value);

/// Makes an object of a described value.
class Writer {
 public:
  void member(const char* name, const auto& value) { object_[name] = write(value); }
  template <typename T>
  void nullable(const char* name, const std::optional<T>& value) {
    object_[name] = value ? write(*value) : nlohmann::json();
  }
  template <typename T>
  void optional(const char* name, const std::optional<T>& value) {
    if (value) {
      object_[name] = write(*value);
    }
  }
  void optional(const char* name, const auto& value) {
    if (!value.empty()) {
      object_[name] = write(value);
    }
  }
  void expected(const char* name, const auto& value) { optional(name, value); }
  void rest(const Opaque& others) { object_.update(others.members); }
  bool when(bool condition) const { return condition; }
  nlohmann::json take() { return std::move(object_); }

 private:
  nlohmann::json object_ = nlohmann::json::object();
};

/// Any value of a record, or of what is described likewise, as JSON.
template <typename T>
nlohmann::json write(const T& value) {
  if constexpr (Described<T>) {
    Writer writer;
    T::fields(value, writer);
    return writer.take();
  } else if constexpr (std::same_as<T, Opaque>) {
    return value.members;
  } else if constexpr (std::same_as<T, Fault> || Named<T>) {
    return name(value);
  } else if constexpr (kIsList<T>) {
    auto list = nlohmann::json::array();
    for (const auto& each : value) {
      list.push_back(write(each));
    }
    return list;
  } else if constexpr (kIsMap<T>) {
    auto object = nlohmann::json::object();
    for (const auto& [name, each] : value) {
      object[name] = write(each);
    }
    return object;
  } else if constexpr (kIsPair<T>) {
    return nlohmann::json::array({value.first, value.second});
  } else {
    return value;
  }
}

/// Where a reader is in a document, and the first thing that was not as it should be.
class Whereabouts {
 public:
  class Step {
   public:
    Step(Whereabouts& place, std::string_view name) : place_(place), length_(place.path_.size()) {
      place.path_ += place.path_.empty() || name.starts_with('[') ? "" : ".";
      place.path_ += name;
    }
    ~Step() { place_.path_.resize(length_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Whereabouts& place_;
    std::size_t length_;
  };
  void offend(std::string_view expected, const nlohmann::json& found) {
    offend(fmt::format("{} was expected, not {}", expected, found.is_null() ? "null" : found.type_name()));
  }
  void offend(const std::string& what) {
    if (!error_) {
      error_ = fmt::format("{}: {}", path_.empty() ? "the document" : path_, what);
    }
  }
  const std::optional<std::string>& error() const { return error_; }

 private:
  std::string path_;
  std::optional<std::string> error_;
};

template <typename T>
void read_into(T& value, const nlohmann::json& from, Whereabouts& place);

/// Fills a described value from an object. After the first offence the rest is of no interest.
class Reader {
 public:
  Reader(const nlohmann::json& object, Whereabouts& place) : object_(object), place_(place) {}

  void member(const char* name, auto& value) {
    if (const auto* found = find(name)) {
      read(name, value, *found);
    } else {
      place_.offend(fmt::format("\"{}\" is missing", name));
    }
  }
  template <typename T>
  void nullable(const char* name, std::optional<T>& value) {
    if (const auto* found = find(name); found == nullptr || !found->is_null()) {
      member(name, value.emplace());
    }
  }
  template <typename T>
  void optional(const char* name, std::optional<T>& value) {
    if (const auto* found = find(name)) {
      read(name, value.emplace(), *found);
    }
  }
  void optional(const char* name, auto& value) {
    if (const auto* found = find(name)) {
      read(name, value, *found);
    }
  }
  template <typename T>
  void expected(const char* name, std::optional<T>& value) {
    member(name, value.emplace());
  }
  void rest(Opaque& others) {
    for (const auto& [name, value] : object_.items()) {
      if (std::ranges::find(known_, name) == known_.end()) {
        others.members[name] = value;
      }
    }
  }
  bool when(bool condition) const { return condition; }

 private:
  const nlohmann::json* find(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  void read(const char* name, auto& value, const nlohmann::json& from) {
    const Whereabouts::Step step(place_, name);
    read_into(value, from, place_);
  }

  const nlohmann::json& object_;
  Whereabouts& place_;
  std::vector<std::string_view> known_;
};

template <typename T>
void read_number(T& value, const nlohmann::json& from, Whereabouts& place) {
  if constexpr (std::floating_point<T>) {
    from.is_number() ? from.get_to(value) : (place.offend("a number", from), value);
  } else {
    const bool negative = from.is_number_integer() && !from.is_number_unsigned() && from.get<std::int64_t>() < 0;
    if (!from.is_number_integer() || (negative && std::is_unsigned_v<T>)) {
      place.offend(std::is_signed_v<T> ? "a whole number" : "a whole number from 0 on", from);
    } else if (from.is_number_unsigned() ? !std::in_range<T>(from.get<std::uint64_t>())
                                         : !std::in_range<T>(from.get<std::int64_t>())) {
      place.offend("the number is too large");
    } else {
      from.get_to(value);
    }
  }
}

/// Anything that write() has made.
template <typename T>
void read_into(T& value, const nlohmann::json& from, Whereabouts& place) {
  if (place.error()) {
    return;
  }
  if constexpr (Described<T>) {
    if (!from.is_object()) {
      return place.offend("an object", from);
    }
    Reader reader(from, place);
    T::fields(value, reader);
  } else if constexpr (std::same_as<T, Opaque>) {
    from.is_object() ? void(value.members = from) : place.offend("an object", from);
  } else if constexpr (std::same_as<T, Fault>) {
    from.is_string() ? void(value = fault_named(from.get<std::string>())) : place.offend("the name of a fault", from);
  } else if constexpr (Named<T>) {
    const auto found = named<T>(from.is_string() ? from.get<std::string>() : std::string());
    if (!found) {
      return place.offend(fmt::format("one of its words was expected, not {}",
                                      from.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    }
    value = *found;
  } else if constexpr (std::same_as<T, bool>) {
    from.is_boolean() ? void(value = from.get<bool>()) : place.offend("true or false", from);
  } else if constexpr (std::is_arithmetic_v<T>) {
    read_number(value, from, place);
  } else if constexpr (std::same_as<T, std::string>) {
    from.is_string() ? void(value = from.get<std::string>()) : place.offend("a text", from);
  } else if constexpr (kIsPair<T>) {
    if (!from.is_array() || from.size() != 2) {
      return place.offend("a list of two", from);
    }
    read_into(value.first, from[0], place);
    read_into(value.second, from[1], place);
  } else if constexpr (kIsList<T>) {
    if (!from.is_array()) {
      return place.offend("a list", from);
    }
    value.clear();
    for (const auto& each : from) {
      const Whereabouts::Step step(place, fmt::format("[{}]", value.size()));
      read_into(value.emplace_back(), each, place);
    }
  } else {
    static_assert(kIsMap<T>);
    if (!from.is_object()) {
      return place.offend("an object", from);
    }
    for (const auto& [name, each] : from.items()) {
      const Whereabouts::Step step(place, name);
      read_into(value[name], each, place);
    }
  }
}

/// A value that write() has made, or JSON of the same form. Fault::corrupt, naming the place and what was expected.
template <typename T>
Result<T> read(const nlohmann::json& from) {
  T value{};
  Whereabouts place;
  read_into(value, from, place);
  if (place.error()) {
    return fail(Fault::corrupt, *place.error());
  }
  return value;
}

}  // namespace waggle::record
