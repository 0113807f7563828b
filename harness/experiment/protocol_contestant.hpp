// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "harness/experiment/contestant.hpp"
#include "harness/experiment/ends.hpp"

namespace waggle::experiment {

/// Our protocol over the datapaths of a pair: a server and a client, of which one sends the payload and one receives
/// it. `pair` has its receiver and its link; `spec` must outlive it.
std::unique_ptr<const Contestant> protocol_contestant(const Spec& spec, const Pair& pair, RunEnds ends);

}  // namespace waggle::experiment
