// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "harness/experiment/spec.hpp"

/// Pairs of datapaths as users name them, on a command line or in a suite.
namespace waggle::experiment {

/// The sink that the payload goes into, as a datapath sees it.
Incoming::Sink payload_sink(const Spec& spec);

/// The pair that "sendfile" (with `receiver`, or its default one when that is empty) or "sendfile+splice" names.
/// Fault::usage when one of them does not exist, does not serve that end or cannot receive into `sink`.
Result<Pair> parse_pair(std::string_view text, std::string_view receiver, Incoming::Sink sink);

/// The pairs that --datapaths names: "all" (every sender with `receiver` or its default one), "all-pairs" (every sender
/// with every receiver) or a list "a,b,c+d", which may hold "all". Those of "all-pairs" are not checked against the
/// sink: the record says why one cannot run. Fault::usage for a pair that is named twice.
Result<std::vector<Pair>> parse_pairs(std::string_view text, std::string_view receiver, Incoming::Sink sink);

/// Fault::usage when a pair that somebody named does not run over the link that they named as well, or when `spec` says
/// something that has no effect on it.
Result<> check_named(const Spec& spec, const Pair& pair);
/// The same for those of `pairs` that --datapaths=`text` names one by one: "all" leaves out whoever cannot do what was
/// asked, and the record says why.
Result<> check_named(const Spec& spec, std::string_view text, std::string_view receiver);

}  // namespace waggle::experiment
