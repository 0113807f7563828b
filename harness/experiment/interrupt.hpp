// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <csignal>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::experiment {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, see base/signals.hpp) of the calling thread are
/// held back and can be polled for instead, so that everything is taken down in order: for who waits in
/// poll(2) anyway, unlike cli::AbortOnSignal, which ends calls that wait elsewhere. Threads started meanwhile
/// inherit that; forked processes must call release_signals_in_child().
class Interrupt {
 public:
  static Result<Interrupt> watch();
  Interrupt(Interrupt&& other) noexcept;
  Interrupt& operator=(Interrupt&&) = delete;
  ~Interrupt();

  /// Readable when a signal has come (signalfd(2)).
  int fd() const { return fd_.get(); }
  /// Fault::cancelled once a signal has come, and ever after.
  Result<> check();
  /// Forgets the signal that has come, for who has work to finish all the same; one that comes later counts again.
  void rearm() { came_ = false; }

 private:
  Interrupt(UniqueFd fd, sigset_t before) : fd_(std::move(fd)), before_(before) {}
  UniqueFd fd_;
  sigset_t before_;
  bool came_ = false;
};

/// Lets a process that was forked under an Interrupt be ended by signals again; async-signal-safe.
void release_signals_in_child() noexcept;

}  // namespace waggle::experiment
