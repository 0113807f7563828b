// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/datapath_settings.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/topology/hugepages.hpp"
#include "harness/topology/work_directory.hpp"
#include "protocol/client.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace waggle::cli {

inline constexpr std::uint16_t kDefaultPort = 7411;

/// Hugepages that a process took from the system for its datapath; given back with this object, and by `harness clean`
/// when the process was killed.
struct BorrowedMemory {
  topology::WorkDirectory work;
  topology::Hugepages pages;
};

/// What `serve`, `get` and `put` have in common: the datapath, its socket and the secret.
class ChannelChoice {
 public:
  void add_to(CLI::App& app);

  Result<const Datapath*> datapath() const { return find_datapath(datapath_); }
  const std::string& datapath_name() const { return datapath_; }
  Result<ChannelOptions> channel() const;
  /// What the datapath needs to be reserved before it listens or connects; nullptr when it needs nothing. Must outlive
  /// its channels.
  Result<std::unique_ptr<BorrowedMemory>> memory(bool listens) const;
  /// From --token-file, else from WAGGLE_TOKEN; empty when neither is given. Never from the command line, which every
  /// user of the machine can read.
  Result<std::string> token() const;

 private:
  Result<> choose_link(ChannelOptions& options) const;

  std::string datapath_ = experiment::kDefaultDatapath;
  std::string receiver_;
  std::string link_ = "auto";
  std::string pci_;
  std::string socket_;
  OptionValues said_;  ///< of channel_options()
  std::string token_file_;
  DatapathSettings settings_;
};

/// The congestion control that a channel was granted.
std::string congestion_of(const Channel& channel);

/// Where what has arrived of a broken transfer is kept.
enum class Kept {
  nowhere,
  here,   ///< beside the target, for --resume
  server  ///< where the server keeps longer uploads for a while, with --resume or without
};

/// What `get` and `put` have in common.
class TransferOptions {
 public:
  void add_to(CLI::App& app);
  /// Connects, negotiates and proves the token; `interrupt` guards the connection from then on.
  Result<protocol::Client> connect(const Endpoint& to, Progress* progress, const AbortOnSignal& interrupt);
  /// `error`, told as the user should read it: an interruption by its name and, when it came while bytes were moving,
  /// whether what has arrived is `kept` for a resume.
  Error explain(Error error, const AbortOnSignal& interrupt, std::optional<Kept> kept) const;

  bool resume = false;
  bool durable = false;
  bool recursive = false;
  bool keep_mode = false;
  bool sparse = false;  ///< of `get` alone
  std::string digest = "xxh3";

 private:
  ChannelChoice choice_;
  std::unique_ptr<BorrowedMemory> memory_;
};

}  // namespace waggle::cli
