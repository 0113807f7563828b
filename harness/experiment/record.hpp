// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/pilot.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/record/record.hpp"

namespace waggle::experiment {

class Contestant;

/// A contestant of this experiment, and all that becomes of it in the record.
struct Entry {
  std::string label;
  std::string link;                              ///< kind of link that its runs are made over; empty: none runs it
  std::shared_ptr<const Contestant> contestant;  ///< nothing where it is known beforehand that it cannot run
  bool unavailable = false;
  std::optional<Error> problem;  ///< why it failed or is unavailable
  std::optional<std::string> probe_problem;
  std::vector<record::Participant> parties;  ///< participants(), with their models when it can run
  std::vector<record::Run> runs;
  Stop stopped = Stop::no;
};

/// What a record says besides its contestants.
struct RecordFrame {
  std::string created;  ///< timestamp()
  record::Revision git;
  record::Workload workload;
  record::Environment environment;
  std::string share;  ///< name(measure::Shared) of the two CPUs
};

/// The frame of a record whose experiment begins now; its environment is filled in at the end. `spec` is settled.
Result<RecordFrame> begin_frame(const Spec& spec);

/// Puts a record together.
record::Record build_record(const Spec& spec, const RecordFrame& frame, const std::vector<Entry>& entries);

/// What a spec asks, as its record has it.
record::Asked asked(const Spec& spec);

/// UTC now, "2026-01-31T23:59:59Z".
std::string timestamp();

}  // namespace waggle::experiment
