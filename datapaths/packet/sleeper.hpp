// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.hpp"
#include "base/tally.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// Waits for a descriptor, a point in time or a call from another thread, whichever comes first.
class Sleeper {
 public:
  static Result<Sleeper> create() {
    UniqueFd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!event) {
      return fail_errno("cannot make an eventfd");
    }
    return Sleeper(std::move(event));
  }

  /// Sleeps until `fd` has one of `events`, `deadline` (CLOCK_MONOTONIC) has passed or wake() was called.
  Result<> wait(int fd, short events, Time deadline) {
    std::array<pollfd, 2> ready{pollfd{fd, events, 0}, pollfd{event_.get(), POLLIN, 0}};
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const Time now = now_ns();
    const Time left = deadline > now ? deadline - now : 0;
    const timespec limit{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
    const int count = ::ppoll(ready.data(), ready.size(), deadline == kNever ? nullptr : &limit, nullptr);
    if (count < 0 && errno != EINTR) {
      return fail_errno("cannot wait for packets");
    }
    if (count > 0 && ready[1].revents != 0) {
      std::uint64_t calls = 0;
      static_cast<void>(!::read(event_.get(), &calls, sizeof calls));
    }
    return {};
  }

  /// Sleeps until `deadline`, `now` being the time, or wake(), whatever comes in meanwhile.
  Result<> nap(Time now, Time deadline) {
    const timespec limit{0, static_cast<long>(std::min<Time>(deadline > now ? deadline - now : 0, 999'999'999))};
    pollfd ready{event_.get(), POLLIN, 0};
    if (::ppoll(&ready, 1, &limit, nullptr) > 0) {
      std::uint64_t calls = 0;
      static_cast<void>(!::read(event_.get(), &calls, sizeof calls));
    }
    return {};
  }

  void wake() const noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event_.get(), &one, sizeof one));
  }

 private:
  explicit Sleeper(UniqueFd event) : event_(std::move(event)) {}
  UniqueFd event_;
};

}  // namespace waggle::packet
