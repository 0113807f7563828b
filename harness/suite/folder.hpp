// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/suite/suite.hpp"

/// Where the records of a suite go, and what is there already.
namespace waggle::suite {

/// The folder of a call: `output`, or one of this name and time below $WAGGLE_RESULTS or results; with `resume` the
/// latest one of this name. It exists and can be written to. Fault::usage when a call that does not resume names one
/// that has records.
Result<std::filesystem::path> choose_folder(const std::string& suite, const std::filesystem::path& output, bool resume);

/// "bulk-size-64KiB.json"
std::string file_name(const Planned& experiment);

/// How the contestants of a record ended.
struct Tally {
  std::size_t ok = 0;
  std::size_t failed = 0;
  std::size_t unavailable = 0;
  std::string problem = {};  ///< of the first that failed, or when none is ok, that is unavailable
};
Tally tally_of(const record::Record& record);

/// The records of suites in a folder.
class Kept {
 public:
  /// What is no record of a suite is left alone; `broken` are those that claim to be one and cannot be read.
  static Kept in(const std::filesystem::path& folder);

  struct Found {
    std::filesystem::path file;
    record::InSuite suite;
    record::Revision revision;
    Tally tally;
    /// Nothing failed, and somebody was measured.
    bool whole() const { return tally.ok > 0 && tally.failed == 0; }
  };
  /// One that measured what the experiment asks; a whole one when there is one. Nothing when there is none.
  const Found* match(const Planned& experiment) const;
  /// Those of the same experiment and point, whatever they measured.
  std::vector<const Found*> of(const Planned& experiment) const;
  const std::vector<std::filesystem::path>& broken() const { return broken_; }

 private:
  std::vector<Found> found_;
  std::vector<std::filesystem::path> broken_;
};

/// Takes a record's name from it, so that no report takes it for a result: "NAME.json.old", or the first free one of
/// "NAME.json.old-2" …
Result<> set_aside(const std::filesystem::path& record);

}  // namespace waggle::suite
