// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/interrupt.hpp"

#include <sys/signalfd.h>

#include <utility>

#include "base/signals.hpp"

namespace waggle::experiment {
Result<Interrupt> Interrupt::watch() {
  const sigset_t set = ending_signals();
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) {
    return fail_errno("cannot watch for signals");
  }
  sigset_t before;
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, &before); error != 0) {
    return fail_errno("cannot hold signals back", error);
  }
  return Interrupt(std::move(fd), before);
}

Interrupt::Interrupt(Interrupt&& other) noexcept
    : fd_(std::move(other.fd_)), before_(other.before_), came_(other.came_) {}

Interrupt::~Interrupt() {
  if (fd_) {
    // One more Ctrl-C while things were taken down means the same as the first.
    while (!check() && came_) {
      signalfd_siginfo info{};
      if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        break;
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
}

Result<> Interrupt::check() {
  signalfd_siginfo info{};
  if (!came_ && ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    came_ = true;
  }
  return came_ ? Result<>(fail(Fault::cancelled, "interrupted")) : Result<>{};
}

void release_signals_in_child() noexcept {
  const sigset_t set = ending_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace waggle::experiment
