// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/record/contestant.hpp"

/// What bounds a contestant's goodput from outside, and how much of it was reached.
namespace waggle::experiment {

/// What a bare loop over a port's rings has reached on this machine, as it wrote it down (tests/perf/loop_record.hpp).
struct BareLoop {
  std::string datapath;
  std::string link;
  std::uint32_t packet = 0;  ///< bytes of the largest packet (UDP payload)
  std::string how;           ///< "copy, threaded NAPI"
  double goodput = 0;        ///< bit/s of payload
  std::string created;       ///< UTC
};

/// Those in `place` that were measured since this machine has started; files that make no sense are left out.
std::vector<BareLoop> read_loops(const std::filesystem::path& place);
/// "results/loops", below $WAGGLE_RESULTS when that is set.
std::filesystem::path loops_place();

/// For a contestant with the facts of these `parties` over `link` that has reached `goodput` bit/s: what the line
/// carries of payload in packets of the size that were sent, with all headers, where a port knows its line rate;
/// otherwise the best of the bare loops over the same kind of link with packets of that size; nothing without either.
std::optional<record::Ceiling> ceiling(const std::vector<record::Participant>& parties, const std::string& link,
                                       double goodput, const std::vector<BareLoop>& loops);

}  // namespace waggle::experiment
