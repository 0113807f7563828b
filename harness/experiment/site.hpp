// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "harness/experiment/agent_process.hpp"
#include "harness/experiment/interrupt.hpp"
#include "harness/experiment/record.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/topology/hugepages.hpp"
#include "harness/topology/link.hpp"
#include "harness/topology/mounts.hpp"
#include "harness/topology/work_directory.hpp"

namespace waggle::experiment {

/// Where the runs of an experiment take place: the link, the files that are sent and the place they go to. Everything
/// is removed with this object, and but for the work directory also when the program is killed.
class Site {
 public:
  /// Builds it, with the links of those entries that can run, and makes the workload's files. A link that cannot be
  /// made makes its entries unavailable, and is an error when none is left. The workload's size is that of spec.file
  /// when that is given.
  static Result<std::unique_ptr<Site>> build(Spec& spec, std::vector<Entry>& entries, Interrupt& interrupt);

  /// The links that pairs run over, by kind.
  const std::map<std::string, topology::Link>& links() const { return links_; }
  topology::Link& link(const std::string& kind) { return links_.at(kind); }
  /// ChannelOptions::link_at for one end of a link of this kind.
  std::string link_at(const std::string& kind, bool server) const;
  const std::filesystem::path& source() const { return source_; }  ///< files that are sent
  const std::filesystem::path& sink() const { return sink_; }      ///< where files go
  Agent& host() { return *host_; }
  Interrupt& interrupt() { return interrupt_; }

  /// Removes what a failed run has left, so that the next starts alike.
  void tidy();
  /// What the record tells of a link, but for its interfaces.
  record::Link recorded_link(const std::string& kind) const;

 private:
  explicit Site(Interrupt& interrupt) : interrupt_(interrupt) {}
  Result<> make_links(const Spec& spec, std::vector<Entry>& entries);
  void reserve_memory(std::vector<Entry>& entries);
  Result<> prepare_places(const Spec& spec);
  Result<> make_files(Spec& spec);
  Result<> show_file(const std::filesystem::path& file);

  // In this order: mounts and agents go before the directory that they use.
  Interrupt& interrupt_;
  std::optional<topology::WorkDirectory> work_;
  std::filesystem::path source_;
  std::filesystem::path sink_;
  std::map<std::string, topology::Link> links_;
  std::vector<std::string> pci_;
  std::optional<topology::Hugepages> hugepages_;
  std::vector<topology::Mount> mounts_;
  std::vector<Mode> mount_modes_;
  std::optional<AgentProcess> host_;
  std::set<std::filesystem::path> made_;
};

}  // namespace waggle::experiment
