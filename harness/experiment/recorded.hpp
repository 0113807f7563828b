// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "datapaths/datapath.hpp"
#include "harness/experiment/side_usage.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/measure/calibration.hpp"
#include "harness/measure/probe.hpp"
#include "harness/record/record.hpp"

/// What channels, probes and histograms tell, as the record has it.
namespace waggle::experiment {

std::vector<record::Mode> recorded(const std::vector<Mode>& modes);
record::Facts recorded(const Facts& facts);
record::Model recorded(const CopyModel& model, record::Dma dma);
record::Usage recorded(const SideUsage& usage);
record::Trace recorded(const measure::Trace& trace);
record::Calibration recorded(const measure::Calibration& calibration);
/// The histogram must not be empty.
record::Distribution recorded(const Histogram& histogram);
/// Adds a distribution's buckets to `sum`.
void merge(Histogram& sum, const record::Distribution& distribution);

/// Who takes part in the runs of a pair, the sender of payload first. `server_sends`: at the server's end.
std::vector<record::Participant> participants(const Pair& pair, bool server_sends);

}  // namespace waggle::experiment
