// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <csignal>

namespace waggle {

/// The signals that ask a program to put things in order and end. SIGHUP, which comes when the terminal goes, is none
/// of them while it is ignored: whoever started us with nohup(1) does not want to hear of it.
inline sigset_t ending_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  struct sigaction now{};
  if (::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
    ::sigaddset(&signals, SIGHUP);
  }
  return signals;
}

}  // namespace waggle
