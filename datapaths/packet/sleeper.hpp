// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// Waits for what a port has said, or a call from another thread, whichever comes first.
class Sleeper {
 public:
  Sleeper() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  /// Whether the system had a descriptor left, otherwise see errno.
  explicit operator bool() const { return static_cast<bool>(event_); }

  /// Touches nothing but descriptors.
  Result<> sleep(const Watch& watch) const {
    std::array<pollfd, 2> ready{pollfd{event_.get(), POLLIN, 0}, pollfd{watch.fd, watch.events, 0}};
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const Time now = now_ns();
    const Time left = watch.until > now ? watch.until - now : 0;
    const timespec limit{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
    const int count = ::ppoll(ready.data(), watch.fd < 0 ? 1 : 2, watch.until == kNever ? nullptr : &limit, nullptr);
    if (count < 0 && errno != EINTR) {
      return fail_errno("cannot wait for packets");
    }
    if (count > 0 && ready[0].revents != 0) {
      std::uint64_t calls = 0;
      static_cast<void>(!::read(event_.get(), &calls, sizeof calls));
    }
    return {};
  }

  /// Ends a sleep() now or the next one at once; from any thread or a signal handler.
  void wake() const noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event_.get(), &one, sizeof one));
  }

 private:
  UniqueFd event_;
};

}  // namespace waggle::packet
