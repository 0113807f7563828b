// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/driver.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace waggle::packet {
namespace {

constexpr auto kKeeperTick = std::chrono::milliseconds(100);
/// A follower that nobody notifies looks for itself after this, in ns. Rarely: taking the lock from a leader that spins
/// costs both a few context switches.
constexpr Time kFollowerTick = 1'000'000'000;

}  // namespace

Driver::Driver(std::unique_ptr<Port> port, HostOptions options, Wait wait)
    : host_(std::move(port), std::move(options)), spins_(wait == Wait::spin), keeper_([this] { keep(); }) {}

Driver::~Driver() {
  {
    const std::scoped_lock lock(keeper_mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  keeper_.join();
}

Driver::Lock Driver::lock() {
  Lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    contenders_.fetch_add(1, std::memory_order_relaxed);
    lock.lock();
    contenders_.fetch_sub(1, std::memory_order_relaxed);
  }
  return lock;
}

Result<bool> Driver::pump(Time now) {
  if (dead_) {
    return std::unexpected(*dead_);
  }
  ++pumps_;
  auto progressed = host_.pump(now);
  if (!progressed) {
    dead_ = progressed.error();
  }
  notify();
  return progressed;
}

void Driver::notify() {
  if (followers_.empty()) {
    return;
  }
  for (Waiter* waiter : followers_) {
    const bool news = waiter->connection == nullptr
                          ? host_.has_accepted() || host_.empty()
                          : std::ranges::find(host_.touched(), waiter->connection) != host_.touched().end();
    if (dead_ || news) {
      waiter->changed.notify_one();
    }
  }
}

Result<bool> Driver::wait_until(Lock& lock, Waiter& waiter, Time deadline, Condition done) {
  if (done()) {
    return true;
  }
  for (;;) {
    if (waiter.aborted.load(std::memory_order_relaxed)) {
      hand_over();
      return fail(Fault::cancelled, "the connection was aborted");
    }
    const Time now = now_ns();
    auto progressed = pump(now);
    if (!progressed) {
      return std::unexpected(std::move(progressed).error());
    }
    if (done()) {
      hand_over();
      return true;
    }
    if (now >= deadline) {
      hand_over();
      return false;
    }
    if (contenders_.load(std::memory_order_relaxed) > 0) {
      lock.unlock();
      ::sched_yield();
      lock.lock();
    }
    if (*progressed) {
      continue;
    }
    // Waiting for new connections must not take packets from the threads that wait for them.
    if (leading_ || (waiter.connection == nullptr && !host_.empty())) {
      follow(lock, waiter, deadline);
    } else {
      lead(lock, deadline);
    }
  }
}

void Driver::lead(Lock& lock, Time deadline) {
  leading_.store(true, std::memory_order_relaxed);
  leader_until_ = std::min(deadline, host_.deadline());
  Port& port = host_.port();
  lock.unlock();
  if (spins_) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  } else if (!interrupted_.load(std::memory_order_relaxed)) {
    // An error shows at the next pump.
    static_cast<void>(port.wait(leader_until_));
  }
  lock.lock();
  leading_.store(false, std::memory_order_relaxed);
  if (interrupted_.load(std::memory_order_relaxed)) [[unlikely]] {
    interrupted_.store(false, std::memory_order_relaxed);
    notify_all();
  }
}

void Driver::notify_all() {
  for (Waiter* waiter : followers_) {
    waiter->changed.notify_one();
  }
}

void Driver::follow(Lock& lock, Waiter& waiter, Time deadline) {
  settle();
  followers_.push_back(&waiter);
  const Time now = now_ns();
  const Time most = std::min<Time>(deadline - std::min(deadline, now), kFollowerTick);
  waiter.changed.wait_for(lock, std::chrono::nanoseconds(most));
  std::erase(followers_, &waiter);
}

/// Somebody else must wait for the port now: one who waits for packets, or, without connections, for new ones.
void Driver::hand_over() {
  if (!leading_) {
    const auto next = std::ranges::find_if(
        followers_, [this](const Waiter* waiter) { return waiter->connection != nullptr || host_.empty(); });
    if (next != followers_.end()) {
      (*next)->changed.notify_one();
    }
  }
  settle();
}

void Driver::settle() {
  if (leading_ && !spins_ && host_.deadline() < leader_until_) {
    host_.port().wake();
  }
}

Result<> Driver::transmit(bool flush) {
  if (dead_) {
    return std::unexpected(*dead_);
  }
  if (auto sent = host_.transmit(now_ns(), flush); !sent) {
    dead_ = sent.error();
    return std::unexpected(std::move(sent).error());
  }
  settle();
  return {};
}

void Driver::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_relaxed);
  host_.port().wake();
}

void Driver::keep() {
  std::unique_lock mine(keeper_mutex_);
  std::uint64_t seen = 0;
  while (!stop_.wait_for(mine, kKeeperTick, [this] { return stopping_; })) {
    const bool idle = pumps_ == seen && !leading_.load(std::memory_order_relaxed);
    if (idle || interrupted_.load(std::memory_order_relaxed)) {
      const Lock lock(mutex_);
      if (interrupted_.load(std::memory_order_relaxed)) {
        notify_all();
      }
      for (int i = 0; i < 64 && !dead_; ++i) {
        const auto progressed = pump(now_ns());
        if (!progressed || !*progressed) {
          break;
        }
      }
    }
    seen = pumps_;
  }
}

}  // namespace waggle::packet
