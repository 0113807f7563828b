// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/driver.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace waggle::packet {
namespace {

constexpr auto kKeeperTick = std::chrono::milliseconds(25);
/// Ticks without a pump after which the keeper steps in. Who waits for strangers does so after one.
constexpr int kPatientTicks = 4;
/// How long the last user of a driver sees closing connections off; longer than any of them takes.
constexpr Time kLinger = 3'000'000'000;
/// A follower that nobody notifies looks for itself after this, in ns. Rarely: taking the lock from a leader that spins
/// costs both a few context switches.
constexpr Time kFollowerTick = 1'000'000'000;

}  // namespace

Driver::Driver(std::unique_ptr<Port> port, HostOptions options, Wait wait)
    : host_(std::move(port), std::move(options)),
      spins_(wait == Wait::spin),
      dead_(sleeper_ ? std::nullopt : std::optional(fail_errno("cannot make an eventfd").error())),
      keeper_([this] { keep(); }) {}

Driver::~Driver() {
  {
    auto mine = lock();
    linger(mine);
  }
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
    die(progressed.error());
  } else {
    notify();
  }
  return progressed;
}

void Driver::die(Error error) {
  dead_ = std::move(error);
  notify();
}

bool Driver::stands_back(const Waiter& waiter) const {
  return waiter.connection == nullptr && host_.used() && !deserted_;
}

/// Whoever waits for what the last pump may have brought.
void Driver::notify() {
  const Waiter* const leader = leader_.load(std::memory_order_relaxed);
  if (dead_) {
    wake_leader();
    notify_all();
    return;
  }
  for (Waiter* waiter : host_.roused()) {
    if (waiter == leader) {
      wake_leader();  // others have taken in what would have ended its sleep
    } else if (waiter->follows) {
      waiter->changed.notify_one();
    }
  }
  const bool knocking = host_.strangers().knocking();
  if (knocking && leader != nullptr && leader->connection == nullptr) {
    wake_leader();
  }
  if (knocking || (leader == nullptr && !host_.used())) {
    for (Waiter* waiter : doorkeepers_) {
      waiter->changed.notify_one();
    }
  }
}

Result<bool> Driver::wait_until(Lock& lock, Waiter& waiter, Time deadline, Condition done) {
  if (done()) {
    return true;
  }
  claim(waiter);
  Time idle_since = kNever;
  for (;;) {
    if (waiter.aborted.load(std::memory_order_relaxed)) {
      hand_over();
      return fail(Fault::cancelled, "the connection was aborted");
    }
    const Time now = now_ns();
    if (idle_since != kNever) {
      idle_ns_ += now - idle_since;
      idle_since = kNever;
    }
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
    if (*progressed) {
      if (contenders_.load(std::memory_order_relaxed) > 0) {
        give_way(lock);
      }
      continue;
    }
    // The lock is held since `done` was asked: nobody has taken in anything meanwhile.
    if (leader_ != nullptr || stands_back(waiter)) {
      hand_over();
      follow(lock, waiter, deadline);
    } else if (!lead(lock, waiter, deadline)) {
      idle_since = now;  // from the poll that brought nothing to the next one
    }
  }
}

bool Driver::lead(Lock& lock, Waiter& waiter, Time deadline) {
  bool slept = false;
  leader_.store(&waiter, std::memory_order_relaxed);
  const Time until = std::min(deadline, this->deadline());
  if (spins_ || until == 0) {
    give_way(lock);
  } else {
    Port& port = host_.port();
    auto watch = port.arm(until);
    if (watch && watch->until > 0 && !interrupted_.load(std::memory_order_relaxed)) {
      leader_until_ = watch->until;
      lock.unlock();
      auto woken = sleeper_.sleep(*watch);
      lock.lock();
      slept = true;
      leader_until_ = 0;
      port.disarm();
      if (!woken) {
        watch = std::unexpected(std::move(woken).error());
      }
    } else {
      port.disarm();
      give_way(lock);
    }
    if (!watch) {
      die(std::move(watch).error());
    }
  }
  leader_.store(nullptr, std::memory_order_relaxed);
  if (interrupted_.load(std::memory_order_relaxed)) [[unlikely]] {
    interrupted_.store(false, std::memory_order_relaxed);
    notify_all();
  }
  return slept;
}

/// Lets others have the lock for a moment.
void Driver::give_way(Lock& lock) {
  lock.unlock();
  if (contenders_.load(std::memory_order_relaxed) > 0) {
    ::sched_yield();
  } else {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  lock.lock();
}

/// When something is to be done though nothing comes in.
Time Driver::deadline() const {
  return std::min(host_.deadline(), host_.port().due());
}

void Driver::wake_leader() {
  if (leader_until_ > 0) {
    leader_until_ = 0;
    sleeper_.wake();
  }
}

void Driver::notify_all() {
  for (const auto* waiters : {&followers_, &doorkeepers_}) {
    for (Waiter* waiter : *waiters) {
      waiter->changed.notify_one();
    }
  }
}

void Driver::follow(Lock& lock, Waiter& waiter, Time deadline) {
  auto& waiters = waiter.connection != nullptr ? followers_ : doorkeepers_;
  waiters.push_back(&waiter);
  waiter.follows = true;
  attended_.store(!doorkeepers_.empty(), std::memory_order_relaxed);
  const Time now = now_ns();
  const Time most = std::min<Time>(deadline - std::min(deadline, now), kFollowerTick);
  waiter.changed.wait_for(lock, std::chrono::nanoseconds(most));
  waiter.follows = false;
  std::erase(waiters, &waiter);
  attended_.store(!doorkeepers_.empty(), std::memory_order_relaxed);
}

/// Somebody else must wait for the port now: one who waits for packets, or, when no connection is used, for strangers.
void Driver::hand_over() {
  if (leader_ == nullptr) {
    if (!followers_.empty()) {
      followers_.front()->changed.notify_one();
    } else if (!host_.used() && !doorkeepers_.empty()) {
      doorkeepers_.front()->changed.notify_one();
    }
  }
  settle();
}

/// The users of connections are back: a doorkeeper that leads in their place gives way.
void Driver::claim(const Waiter& waiter) {
  if (waiter.connection != nullptr && deserted_) [[unlikely]] {
    deserted_ = false;
    wake_leader();
  }
}

void Driver::linger(Lock& lock) {
  Waiter nobody;
  // Whatever happens here, nobody can be told.
  static_cast<void>(until(lock, nobody, now_ns() + kLinger, [this] { return host_.empty() || host_.used(); }));
}

void Driver::settle() {
  if (deadline() < leader_until_) {
    wake_leader();
  }
}

Result<> Driver::transmit(bool flush) {
  if (dead_) {
    return std::unexpected(*dead_);
  }
  if (auto sent = host_.transmit(now_ns(), flush); !sent) {
    die(sent.error());
    return std::unexpected(std::move(sent).error());
  }
  if (!host_.used()) {
    notify();
  }
  settle();
  return {};
}

void Driver::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_relaxed);
  sleeper_.wake();
}

void Driver::keep() {
  std::unique_lock mine(keeper_mutex_);
  std::uint64_t seen = 0;
  int idle = 0;
  while (!stop_.wait_for(mine, kKeeperTick, [this] { return stopping_; })) {
    idle = pumps_ == seen && leader_.load(std::memory_order_relaxed) == nullptr ? idle + 1 : 0;
    const bool deserted = idle > 0 && attended_.load(std::memory_order_relaxed);
    if (deserted || idle >= kPatientTicks || interrupted_.load(std::memory_order_relaxed)) {
      const Lock lock(mutex_);
      if (interrupted_.load(std::memory_order_relaxed)) {
        notify_all();
      }
      if (pumps_ == seen && leader_ == nullptr && followers_.empty() && !doorkeepers_.empty()) {
        deserted_ = true;
        doorkeepers_.front()->changed.notify_one();
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
