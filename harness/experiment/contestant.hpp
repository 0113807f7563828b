// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/experiment/replies.hpp"
#include "harness/experiment/site.hpp"

/// What is compared, as a run knows it. Our protocol over a datapath is one kind (protocol_contestant.hpp); a relay, or
/// a foreign program under the same recorder, is another implementation of these two classes.
namespace waggle::experiment {

/// A measured process of a party.
struct Process {
  record::Role role = record::Role::peer;
  std::string host;  ///< the end of the link that it is at
  int cpu = 0;       ///< the only one that it runs on
  pid_t pid = 0;
};

/// What a contestant has running in one run. Its processes are killed with this object.
class Trial {
 public:
  virtual ~Trial() = default;

  /// Before the window: connects and warms up what is not to be measured.
  virtual Result<> prepare() = 0;
  /// In the order of the contestant's parties, as all lists of parties.
  virtual std::vector<Process> processes() const = 0;
  /// The last thing before the window that may wake its processes: readings of what they have used so far.
  virtual Result<> begin() = 0;
  /// The window: from the first request to the last verified byte. Returns figures of what was done, but neither
  /// parties nor anything of the machine. `bin_ns`: width of the timeline's bins.
  virtual Result<record::Measured> run(std::uint64_t bin_ns) = 0;
  /// The first thing after it that may wake its processes: readings of what they have used until now.
  virtual Result<> end() = 0;
  /// After the window: what each party used in it and was granted.
  virtual Result<std::vector<Told>> told() = 0;
  /// Takes back what the run has changed, and ends its processes in order.
  virtual Result<> finish() = 0;
};

class Contestant {
 public:
  virtual ~Contestant() = default;
  /// Memory that its processes take together from the kernel's reserve of huge pages, in bytes.
  virtual std::uint64_t hugepage_bytes() const = 0;
  /// Starts fresh processes at the site. `progress` is called several times a second with the payload bytes that are
  /// verified so far; it may be empty. Site and Spec outlive the trial.
  virtual Result<std::unique_ptr<Trial>> start(Site& site, std::function<void(std::uint64_t)> progress) const = 0;
};

}  // namespace waggle::experiment
