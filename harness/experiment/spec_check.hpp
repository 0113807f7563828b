// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "harness/experiment/spec.hpp"

/// What can be meant by a Spec, whoever made it: a command line, a record, a file, a test.
namespace waggle::experiment {

/// Names of options that somebody has said: of spec_options(), common_options(), channel_options() or the workload.
using Said = std::set<std::string, std::less<>>;

/// What differs from its default: all that is known to have been said of a Spec that was built by hand.
Said said(const Spec& spec);

/// Checks what does not depend on pairs, before anything is set up, and fills in what follows from it: the workload's
/// own parameters, the CPUs, the size of a file of the user, absolute paths. Doing it again changes nothing.
/// Fault::usage with one line for what is out of bounds, contradicts something, or was `said` and has no effect.
Result<> settle(Spec& spec, const Said& said);

/// Timed runs per pair.
struct RunBounds {
  std::uint32_t least = 0;  ///< of which the pilot is made
  std::uint32_t most = 0;
};
/// What the Spec means by its least and most runs. Where no pilot was asked for, it is long enough to tell the best of
/// the pairs apart, as far as the most runs allow.
RunBounds run_bounds(const Spec& spec);

/// Fault::missing when somebody asks for probes and nothing can be traced here.
Result<> check_probing();

}  // namespace waggle::experiment
