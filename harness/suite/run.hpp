// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/suite/folder.hpp"
#include "harness/suite/suite.hpp"

namespace waggle::suite {

/// How a suite is run.
struct Call {
  std::filesystem::path folder;  ///< choose_folder()
  bool resume = false;           ///< what is recorded there and measured the same is not measured again
  bool any_revision = false;     ///< also when another build of the program has measured it
  std::vector<std::string> command_line;
};

/// What became of an experiment.
struct Finished {
  const Planned* experiment = nullptr;
  std::filesystem::path file;
  Tally tally;
  bool measured = true;  ///< now, not by an earlier call
  double seconds = 0;    ///< that it took
};

/// What happens while a suite runs; called from the thread that runs it.
struct Watch {
  /// `fraction` of all that is to be measured (0…1), `doing` like "3/12 size, size=1MiB: sendfile run 2/6".
  std::function<void(double fraction, const std::string& doing, double rate)> progress;
  std::function<void(const Finished& finished)> finished;
  std::function<void(const std::string& note)> note;  ///< a sentence for the user
};

/// Runs the experiments in their order and leaves one record of each; of those that cannot run here it says why.
/// Fault::missing at once when nothing could: without the rights. Fault::cancelled after a signal that ends programs,
/// with how far it came; what is recorded by then stays.
Result<std::vector<Finished>> run_suite(const Suite& suite, const Call& call, const Watch& watch);

}  // namespace waggle::suite
