// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/abort_on_signal.hpp"

#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>

#include "base/signals.hpp"
#include "harness/cli/signals_blocked.hpp"

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

AbortOnSignal::AbortOnSignal() : asked_(::eventfd(0, EFD_CLOEXEC)) {
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

AbortOnSignal::~AbortOnSignal() {
  for (const auto& [signal, old] : old_) {
    ::sigaction(signal, &old, nullptr);
  }
  guarded.store(nullptr);
  told.store(-1);
  ::eventfd_write(asked_.get(), 1);
}

void AbortOnSignal::guard(Channel* channel) const {
  guarded.store(channel);
  if (channel != nullptr && interrupted.load()) {
    channel->abort();
  }
}

bool AbortOnSignal::asked() const {
  return interrupted.load();
}

}  // namespace waggle::cli
