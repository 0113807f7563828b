// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/packet_listener.hpp"

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "datapaths/packet/route.hpp"

namespace waggle::packet {

PacketListener::PacketListener(std::vector<std::unique_ptr<Port>> ports, const HostOptions& host, std::string name,
                               const ChannelOptions& options)
    : at_{ipv4_text(ports.front()->local().ip), ports.front()->local_port()},
      past_kernel_(ports.front()->past_kernel()),
      name_(std::move(name)),
      options_(options) {
  for (auto& port : ports) {
    std::vector<Mode> modes = port->modes();
    modes.push_back({"congestion", options.congestion, options.congestion});
    auto driver = std::make_shared<Driver>(std::move(port), host, options.wait);
    Host& own = driver->host();
    queues_.push_back(std::make_unique<Queue>(std::move(driver), Reception(own)));
    queues_.back()->modes = std::move(modes);
  }
  if (queues_.size() > 1) {
    for (auto& queue : queues_) {
      queue->thread = std::thread([this, each = queue.get()] { watch(*each); });
    }
  }
}

PacketListener::~PacketListener() {
  PacketListener::abort();
  for (auto& queue : queues_) {
    if (queue->thread.joinable()) {
      queue->thread.join();
    }
    const auto lock = queue->driver->lock();
    queue->driver->host().stop_listening(now_ns());
    static_cast<void>(queue->driver->transmit(true));
  }
}

std::unique_ptr<Channel> PacketListener::channel_of(Queue& queue, Connection& connection) {
  return std::make_unique<PacketChannel>(queue.driver, connection, name_, queue.modes, options_.timeout);
}

/// Tells whoever accepts that somebody has knocked at this queue.
void PacketListener::watch(Queue& queue) {
  auto lock = queue.driver->lock();
  std::uint64_t seen = 0;
  for (bool on = true; on;) {
    const auto knocked = queue.driver->until(lock, queue.waiter, kNever,
                                             [&] { return queue.driver->host().strangers().knocks() != seen; });
    seen = queue.driver->host().strangers().knocks();
    on = knocked.has_value();
    const std::scoped_lock mine(mutex_);
    knocked_ = true;
    if (!on && health_) {
      health_ = std::unexpected(knocked.error());
    }
    news_.notify_one();
  }
}

/// Until a stranger has knocked, or the deadline has passed.
Result<> PacketListener::wait(Time deadline) {
  Result<> health;
  if (queues_.size() == 1) {
    Queue& queue = *queues_.front();
    auto lock = queue.driver->lock();
    auto some =
        queue.driver->until(lock, queue.waiter, deadline, [&] { return queue.driver->host().strangers().knocking(); });
    if (!some) {
      health = std::unexpected(std::move(some).error());
    }
  } else {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return knocked_ || !health_; };
    if (deadline == kNever) {
      news_.wait(lock, ready);
    } else {
      const Time now = now_ns();
      news_.wait_for(lock, std::chrono::nanoseconds(deadline - std::min(deadline, now)), ready);
    }
    knocked_ = false;
    health = health_;
  }
  if (!health && health.error().fault == Fault::cancelled) {
    return fail(Fault::cancelled, "no more connections are accepted");
  }
  return health;
}

Result<std::unique_ptr<Channel>> PacketListener::accept() {
  for (;;) {
    for (auto& queue : queues_) {
      auto lock = queue->driver->lock();
      if (Connection* const connection = queue->driver->host().accepted()) {
        lock.unlock();
        return channel_of(*queue, *connection);
      }
    }
    WAGGLE_TRY(wait(kNever));
  }
}

/// Lets in the next one at this queue. What the gate is asked, and what it hears, is so without the driver's lock as
/// far as others may hold locks of their own meanwhile.
Result<std::optional<Admitted>> PacketListener::admit(Queue& queue, const Gate& gate) {
  const auto room = gate.room();
  auto lock = queue.driver->lock();
  Host& host = queue.driver->host();
  host.limit_strangers(gate.most_strangers / queues_.size());
  auto guest = queue.reception.next(gate, room, now_ns());
  const auto why = queue.reception.turned_away();
  auto sent = queue.driver->transmit(true);
  lock.unlock();
  if (gate.refused) {
    std::ranges::for_each(why, gate.refused);
  }
  if (guest) {
    return Admitted{channel_of(queue, *guest->connection), std::move(guest->admission)};
  }
  WAGGLE_TRY(sent);
  return std::nullopt;
}

Result<Admitted> PacketListener::accept(const Gate& gate) {
  for (;;) {
    Time deadline = kNever;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      Queue& queue = *queues_[(first_ + i) % queues_.size()];
      WAGGLE_LET(admitted, admit(queue, gate));
      if (admitted) {
        first_ = (first_ + i + 1) % queues_.size();
        return std::move(*admitted);
      }
      const auto lock = queue.driver->lock();
      deadline = std::min(deadline, queue.reception.deadline(gate));
    }
    WAGGLE_TRY(wait(deadline));
  }
}

void PacketListener::abort() noexcept {
  for (auto& queue : queues_) {
    queue->waiter.aborted.store(true);
    queue->driver->interrupt();
  }
}

}  // namespace waggle::packet
