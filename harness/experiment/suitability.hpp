// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "harness/experiment/record.hpp"
#include "harness/experiment/spec.hpp"

/// Whether a pair fits an experiment; commands ask it of pairs that somebody has named, run_experiment() of all.
namespace waggle::experiment {

/// Fault::usage when one of the pair's datapaths does not exist or does not serve its end, or when payload cannot go
/// into `sink`. The pair has its receiver.
Result<> check_ends(const Pair& pair, Incoming::Sink sink);

/// The link that the pair runs over in this experiment. Fault::usage when the two share no carrier or no link.
Result<std::string> check_joined(const Spec& spec, const Pair& pair);

/// Fault::usage when `spec` says something that has no effect on this pair over its `link`.
Result<> check_effect(const Spec& spec, const Pair& pair, const std::string& link);

/// Fault::usage when `spec` sets options of a datapath that is in none of its pairs, or to what they do not take.
Result<> check_settings_used(const Spec& spec);

/// Our protocol over a pair's datapaths as a contestant, with the models of its parties, or with the reason when it
/// cannot run here or not in this experiment. `pair` gets the link that it runs over. `spec` must outlive the entry.
Entry assess(Pair& pair, const Spec& spec);

}  // namespace waggle::experiment
