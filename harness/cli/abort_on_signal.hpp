// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"

namespace waggle::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, as by nohup(1)) end the guarded channel's calls
/// (Fault::cancelled) instead of the process, so that what was begun is put in order. One at a time. It acts
/// from the signal handler, since such a call waits in the kernel; who polls anyway holds signals back instead
/// (harness/experiment/interrupt.hpp).
class AbortOnSignal {
 public:
  AbortOnSignal();
  ~AbortOnSignal();
  AbortOnSignal(const AbortOnSignal&) = delete;
  AbortOnSignal& operator=(const AbortOnSignal&) = delete;

  /// The channel to abort; nullptr before it is destroyed.
  void guard(Channel* channel) const;
  bool asked() const;
  /// Stops when it is asked: for what waits before there is a channel.
  std::stop_token cancel() const { return cancel_.get_token(); }

 private:
  std::stop_source cancel_;
  UniqueFd asked_;       ///< an eventfd that the signal handler writes to
  std::jthread waiter_;  ///< a signal handler may not request a stop itself
  std::vector<std::pair<int, struct sigaction>> old_;
};

}  // namespace waggle::cli
