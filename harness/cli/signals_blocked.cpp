// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/signals_blocked.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/signals.hpp"
#include "base/stop.hpp"
#include "base/unique_fd.hpp"

namespace waggle::cli {

SignalsBlocked::SignalsBlocked() : signals_(ending_signals()) {
  ::pthread_sigmask(SIG_BLOCK, &signals_, &old_);
}

SignalsBlocked::~SignalsBlocked() {
  ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
}

void SignalsBlocked::wait(const std::stop_token& cancel) const {
  const StopFd stopped(cancel);
  const UniqueFd signalled(::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signalled) {  // no descriptor is left: the signals matter more
    int signal = 0;
    ::sigwait(&signals_, &signal);
    return;
  }
  std::array<pollfd, 2> ready{pollfd{signalled.get(), POLLIN, 0}, pollfd{stopped.get(), POLLIN, 0}};
  while (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
  }
  signalfd_siginfo taken{};
  static_cast<void>(::read(signalled.get(), &taken, sizeof taken));
}

}  // namespace waggle::cli
