// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/record/record.hpp"

/// What two records differ in besides what is asked of them. Whoever puts figures of two records beside each other has
/// to know.
namespace waggle::report {

/// Names of settings that differ ("sink", "udp.queues"), in their order. Left out are `meant`, those that say how often
/// and where runs are made, and those that one of the records, of another version, does not tell.
std::vector<std::string> other_settings(const record::Record& a, const record::Record& b,
                                        const std::set<std::string>& meant);

/// Whether one build of the program has measured both, as far as records tell.
bool are_of_one_build(const record::Record& a, const record::Record& b);

/// Whether all hosts have the same CPUs and kernel, as far as records tell.
bool are_of_one_machine(const record::Record& a, const record::Record& b);

}  // namespace waggle::report
