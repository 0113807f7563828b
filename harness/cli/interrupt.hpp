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
/// (Fault::cancelled) instead of the process, so that what was begun is put in order. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

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

/// Keeps these signals away from threads that are started while it lives: only one thread must handle them.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  /// Waits until one of them comes and takes it, or until a stop is requested.
  void wait(const std::stop_token& cancel = {}) const;

 private:
  sigset_t signals_;
  sigset_t old_{};
};

}  // namespace waggle::cli
