// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/record.hpp"

#include "base/text.hpp"
#include "harness/record/archive.hpp"
#include "harness/record/upgrade.hpp"

namespace waggle::record {
namespace {

using nlohmann::json;

/// Makes every text and every key of a value printable. What a record only keeps, no table prints.
class Cleaner {
 public:
  void member(const char*, auto& value) { clean(value); }
  void nullable(const char*, auto& value) { clean(value); }
  void optional(const char*, auto& value) { clean(value); }
  void expected(const char*, auto& value) { clean(value); }
  void rest(Opaque&) {}
  bool when(bool condition) const { return condition; }

 private:
  template <typename T>
  void clean(T& value) {
    if constexpr (Described<T>) {
      T::fields(value, *this);
    } else if constexpr (std::same_as<T, std::string>) {
      value = waggle::printable(value);
    } else if constexpr (kIsOptional<T>) {
      if (value) {
        clean(*value);
      }
    } else if constexpr (kIsList<T>) {
      for (auto& each : value) {
        clean(each);
      }
    } else if constexpr (kIsMap<T>) {
      T cleaned;
      for (auto& [key, each] : value) {
        clean(each);
        cleaned.insert_or_assign(waggle::printable(key), std::move(each));
      }
      value = std::move(cleaned);
    }
  }
};

/// Whether groups of placements are named that there are.
Result<> check_groups(const Record& record) {
  const std::size_t groups = record.placement ? record.placement->groups.size() : 0;
  const auto check = [&](std::optional<std::size_t> group) -> Result<> {
    return !group || *group < groups ? Result<>()
                                     : fail(Fault::corrupt, "it names a group of placements that it does not have");
  };
  WAGGLE_TRY(check(record.placement ? record.placement->counted : std::nullopt));
  for (const Contestant& contestant : record.contestants) {
    for (const Run& run : contestant.runs) {
      WAGGLE_TRY(check(run.conditions ? run.conditions->group : std::nullopt));
    }
    for (const Elsewhere& other : contestant.elsewhere) {
      WAGGLE_TRY(check(other.group));
    }
  }
  return {};
}

}  // namespace

bool is_record(const json& document) {
  if (!document.is_object()) {
    return false;
  }
  const json schema = document.value("schema", json());
  return schema == kSchema || schema == kSchema1;
}

Result<Record> from_json(const json& document) {
  if (!is_record(document)) {
    return fail(Fault::corrupt, "this is not a record");
  }
  auto record = read<Record>(document.at("schema") == kSchema1 ? upgrade(document) : document);
  if (record) {
    WAGGLE_TRY(check_groups(*record));
  }
  return record;
}

json to_json(const Record& record) {
  return write(record);
}

Record printable(Record record) {
  Cleaner cleaner;
  Record::fields(record, cleaner);
  return record;
}

}  // namespace waggle::record
