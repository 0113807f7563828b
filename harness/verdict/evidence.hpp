// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/verdict/rules.hpp"

/// Which records answer a rule. Their order makes no difference.
namespace waggle::verdict {

/// A record as somebody has read it.
struct Recorded {
  std::string file;
  const record::Record* record = nullptr;
};
using Records = std::span<const Recorded>;

/// A contestant of one of the records, by indices.
struct Evidence {
  std::size_t record = 0;
  std::size_t contestant = 0;
  bool operator==(const Evidence&) const = default;
};

const record::Contestant& contestant(Records records, const Evidence& evidence);

/// One thing that a rule is about: a point of the sweep, over a link.
struct Instance {
  Point point;
  std::string link;
};

/// What a rule compares at one of them.
struct Found {
  Instance instance;
  std::optional<Evidence> of;    ///< ok where there is such a one; otherwise the newest that is not
  std::optional<Evidence> than;  ///< likewise, when the rule compares
  std::size_t older = 0;         ///< records of the same point that were left aside
  std::size_t foreign = 0;       ///< those of them that another machine has made than what answers
};

/// Whether a contestant was measured, and can be told of.
bool is_whole(const record::Contestant& contestant);

/// All points and links at which the contestant of the rule was, or could not be, measured; in the order of their
/// names. Of several records of a point the newest one counts in which the contestant is whole, and the other one of
/// the comparison too if any has both; by the time of its creation, then by the name of its file. Empty: there is no
/// record.
std::vector<Found> find_evidence(const Rule& rule, Records records);

}  // namespace waggle::verdict
