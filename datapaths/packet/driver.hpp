// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "datapaths/packet/host.hpp"
#include "datapaths/packet/sleeper.hpp"

namespace waggle::packet {

/// Somebody who waits for a connection, or for strangers who want in.
struct Waiter {
  Connection* connection = nullptr;  ///< nullptr: waits for strangers
  std::condition_variable changed;
  std::atomic<bool> aborted{false};
  bool follows = false;  ///< the driver's
};

/// Lets many threads share a host without a thread of its own on the way: whoever has to wait pumps the host for all
/// (leader and followers, Schmidt et al., 2000), so that with a single connection everything runs to completion in the
/// thread that uses it. Host and port are used under the lock only. The leader sleeps without it; what others do
/// meanwhile that concerns the leader, or that must be seen to earlier, wakes it. Who waits for strangers stands back
/// for those who wait for connections: it would take their packets. A keeper steps in only when all threads are busy
/// elsewhere for a while, since peers must get their acknowledgements meanwhile. Connections that are being closed
/// belong to nobody: whoever pumps sees to them.
class Driver {
 public:
  Driver(std::unique_ptr<Port> port, HostOptions options, Wait wait);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  using Lock = std::unique_lock<std::mutex>;
  Lock lock();
  /// Under the lock only.
  Host& host() { return host_; }
  const Host& host() const { return host_; }

  /// Pumps until `done` returns true (true), `deadline` has passed (false), the waiter is aborted (Fault::cancelled) or
  /// the port has died. `done` is called under the lock.
  template <std::predicate Done>
  Result<bool> until(Lock& lock, Waiter& waiter, Time deadline, Done done) {
    return wait_until(lock, waiter, deadline, {[](void* context) { return (*static_cast<Done*>(context))(); }, &done});
  }
  /// Sends what is ready, without waiting for anything.
  Result<> transmit(bool flush);
  /// Sees the connections off that are being closed, for a few seconds at most: for the last user. Somebody who has
  /// opened another connection meanwhile does so himself.
  void linger(Lock& lock);
  /// After changes under the lock that until() did not see: the leader may have to get up earlier.
  void settle();
  /// Wakes whoever waits, to look at `aborted`; from any thread or a signal handler.
  void interrupt() noexcept;
  /// The first who asks, once: reports the port's own counters.
  bool claim_port() { return !port_claimed_.exchange(true); }
  /// What went by in polls that brought nothing and were not followed by a sleep, ns; from any thread.
  std::uint64_t idle_ns() const { return idle_ns_; }

 private:
  struct Condition {  // a std::function would allocate
    bool (*holds)(void* context);
    void* context;
    bool operator()() const { return holds(context); }
  };
  Result<bool> wait_until(Lock& lock, Waiter& waiter, Time deadline, Condition done);
  Result<bool> pump(Time now);
  bool stands_back(const Waiter& waiter) const;
  void notify();
  void notify_all();
  void die(Error error);
  /// Waits for the port, and says whether it slept: a leader that spins does not.
  bool lead(Lock& lock, Waiter& waiter, Time deadline);
  void give_way(Lock& lock);
  void wake_leader();
  Time deadline() const;
  void follow(Lock& lock, Waiter& waiter, Time deadline);
  void hand_over();
  void claim(const Waiter& waiter);
  void keep();

  std::mutex mutex_;
  Host host_;
  const bool spins_;
  Sleeper sleeper_;
  std::optional<Error> dead_;
  std::atomic<std::uint32_t> contenders_{0};
  std::atomic<Waiter*> leader_{nullptr};  // written under the lock
  Time leader_until_ = 0;                 // how long it sleeps; 0 when it is awake, or about to be
  std::vector<Waiter*> followers_;
  std::vector<Waiter*> doorkeepers_;   // followers who wait for strangers
  std::atomic<bool> attended_{false};  // whether there are any
  bool deserted_ = false;              // all users of connections are busy elsewhere: a doorkeeper may lead
  Tally pumps_;                        // written under the lock
  Tally idle_ns_;                      // likewise
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> port_claimed_{false};

  // The keeper has a lock of its own: looking whether it is needed must not disturb a leader that spins.
  std::mutex keeper_mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread keeper_;
};

}  // namespace waggle::packet
