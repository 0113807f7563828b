// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/record/record.hpp"

/// Records that are looked at together, whoever made them, and in an order that depends on what they hold alone.
namespace waggle::answers {

struct Source {
  std::string id;         ///< "r1": its place in the set
  std::string file;       ///< name without folders
  record::Record record;  ///< with printable texts
};

/// Which contestants are looked at; an empty list means all.
struct Selection {
  std::vector<std::string> datapaths;  ///< labels, or a datapath of one of the parties
  std::vector<std::string> workloads;
  std::vector<std::string> links;
};

struct RecordSet {
  std::vector<Source> sources;
  std::vector<std::string> left_out;  ///< a line for each file that could not be read
};

/// Reads records from files and folders: all "*.json" and "*.json.gz" below them, but for folders called "recorded",
/// which must be named. The same record found twice counts once. Fault::usage when there is none, Fault::corrupt and
/// others for a file that was named and cannot be read; what folders hold besides records is passed over, and what is a
/// record but broken is left out with a line.
Result<RecordSet> read_records(const std::vector<std::string>& places);

/// Takes away what was not selected, and records that have nothing left. Fault::usage, naming what there is, when a
/// name fits nothing.
Result<> select(RecordSet& set, const Selection& selection);

/// A contestant over the link that it ran over, in a record.
struct Experiment {
  std::string id;  ///< "r1/veth"
  const Source* source = nullptr;
  std::string link;
  std::vector<const record::Contestant*> contestants;  ///< with a summary, in the order of their label
  std::vector<const record::Contestant*> absent;       ///< failed or unavailable
  const record::Record& record() const { return source->record; }
};

/// The records by link, since figures of different links do not compare. Contestants that no link runs are with the
/// record's first one. `set` must outlive them.
std::vector<Experiment> experiments(const RecordSet& set);

}  // namespace waggle::answers
