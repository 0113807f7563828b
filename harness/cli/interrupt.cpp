// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/interrupt.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/signals.hpp"
#include "base/stop.hpp"

namespace waggle::cli {
namespace {

std::atomic<Channel*> guarded{nullptr};
std::atomic<bool> interrupted{false};
std::atomic<int> told{-1};
static_assert(std::atomic<Channel*>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  const int error = errno;
  interrupted.store(true);
  if (Channel* const channel = guarded.load()) {
    channel->abort();
  }
  ::eventfd_write(told.load(), 1);
  errno = error;
}

}  // namespace

Interrupt::Interrupt() : asked_(::eventfd(0, EFD_CLOEXEC)) {
  interrupted.store(false);
  told.store(asked_.get());
  const SignalsBlocked not_there;
  waiter_ = std::jthread([this] {
    eventfd_t count = 0;
    while (::eventfd_read(asked_.get(), &count) != 0 && errno == EINTR) {
    }
    if (interrupted.load()) {
      cancel_.request_stop();
    }
  });
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART, so that a connect() that waits is ended as well
  const sigset_t signals = ending_signals();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (::sigismember(&signals, signal) == 1) {
      struct sigaction old{};
      ::sigaction(signal, &action, &old);
      old_.emplace_back(signal, old);
    }
  }
}

Interrupt::~Interrupt() {
  for (const auto& [signal, old] : old_) {
    ::sigaction(signal, &old, nullptr);
  }
  guarded.store(nullptr);
  told.store(-1);
  ::eventfd_write(asked_.get(), 1);
}

void Interrupt::guard(Channel* channel) const {
  guarded.store(channel);
  if (channel != nullptr && interrupted.load()) {
    channel->abort();
  }
}

bool Interrupt::asked() const {
  return interrupted.load();
}

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
