// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/eventfd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/unique_fd.hpp"

/// Waits that somebody may call off.
namespace waggle {

/// Sleeps for `time`, but no longer than until a stop is requested; false when one was.
inline bool pause(const std::stop_token& cancel, std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, cancel, time, [] { return false; });
  return !cancel.stop_requested();
}

/// A descriptor for poll(2) that becomes readable when a stop is requested; -1 when the process has none left.
class StopFd {
 public:
  explicit StopFd(const std::stop_token& cancel) : tell_(cancel, Tell{fd_.get()}) {}
  int get() const { return fd_.get(); }

 private:
  struct Tell {
    int fd;
    void operator()() const { ::eventfd_write(fd, 1); }
  };
  UniqueFd fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::stop_callback<Tell> tell_;
};

}  // namespace waggle
