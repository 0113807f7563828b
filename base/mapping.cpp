// SPDX-License-Identifier: BSD-2-Clause
#include "base/mapping.hpp"

#include <csetjmp>
#include <csignal>
#include <mutex>

namespace waggle::detail {
namespace {

struct Guard {
  sigjmp_buf jump;
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
};

constinit thread_local Guard* active = nullptr;
struct sigaction previous{};

void on_sigbus(int signal, siginfo_t* info, void* context) {
  const auto* at = static_cast<const std::byte*>(info->si_addr);
  if (active != nullptr && at >= active->begin && at < active->end) {
    siglongjmp(active->jump, 1);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // Back in the faulting instruction, the fault repeats and ends the process as it would have without us.
    ::sigaction(SIGBUS, &previous, nullptr);
  }
}

void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_sigaction = on_sigbus;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(SIGBUS, &action, &previous);
  });
}

}  // namespace

bool run_guarded(ByteView mapped, void (*body)(void*), void* argument) {
  install();
  Guard guard;
  // Whole pages: a wide load may begin before the bytes.
  guard.begin = mapped.data() - reinterpret_cast<std::uintptr_t>(mapped.data()) % Mapping::page_size();
  guard.end = mapped.data() + mapped.size();
  Guard* const outer = active;
  // The signal mask is not saved, which would cost a system call each time, but repaired when the handler was left by a
  // jump, which is rare.
  if (sigsetjmp(guard.jump, 0) != 0) {
    active = outer;
    sigset_t left;
    ::sigemptyset(&left);
    ::sigaddset(&left, SIGBUS);
    ::pthread_sigmask(SIG_UNBLOCK, &left, nullptr);
    return false;
  }
  active = &guard;
  body(argument);
  active = outer;
  return true;
}

}  // namespace waggle::detail
