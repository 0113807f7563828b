// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/packet_listener.hpp"

#include "datapaths/admission.hpp"

namespace waggle::packet {

PacketListener::PacketListener(std::vector<std::unique_ptr<Port>> ports, Endpoint at, const HostOptions& host,
                               std::string name, const ChannelOptions& options)
    : at_(std::move(at)), name_(std::move(name)), options_(options) {
  at_.port = ports.front()->local_port();
  for (auto& port : ports) {
    auto queue = std::make_unique<Queue>();
    queue->modes = port->modes();
    queue->modes.push_back({"congestion", options.congestion, options.congestion});
    queue->driver = std::make_shared<Driver>(std::move(port), host, options.wait);
    queues_.push_back(std::move(queue));
  }
  if (queues_.size() == 1) {
    return;
  }
  for (auto& queue : queues_) {
    queue->thread = std::thread([this, each = queue.get()] {
      for (bool on = true; on;) {
        auto channel = accept_on(*each);
        on = channel.has_value();
        const std::scoped_lock lock(mutex_);
        accepted_.push_back(std::move(channel));
        some_.notify_one();
      }
    });
  }
}

PacketListener::~PacketListener() {
  PacketListener::abort();
  for (auto& queue : queues_) {
    if (queue->thread.joinable()) {
      queue->thread.join();
    }
  }
}

Result<std::unique_ptr<Channel>> PacketListener::accept_on(Queue& queue) {
  auto lock = queue.driver->lock();
  Connection* connection = nullptr;
  auto some = queue.driver->until(lock, queue.waiter, kNever, [&] {
    connection = queue.driver->host().accepted();
    return connection != nullptr;
  });
  if (!some) {
    if (some.error().fault == Fault::cancelled) {
      return fail(Fault::cancelled, "no more connections are accepted");
    }
    return std::unexpected(std::move(some).error());
  }
  lock.unlock();
  return std::make_unique<PacketChannel>(queue.driver, *connection, name_, queue.modes, options_.timeout);
}

Result<std::unique_ptr<Channel>> PacketListener::accept() {
  if (queues_.size() == 1) {
    return accept_on(*queues_.front());
  }
  std::unique_lock lock(mutex_);
  some_.wait(lock, [this] { return !accepted_.empty(); });
  auto next = std::move(accepted_.front());
  accepted_.pop_front();
  return next;
}

Result<Admitted> PacketListener::accept(const Gate& gate) {
  for (;;) {
    WAGGLE_LET(channel, accept());
    WAGGLE_LET(admitted, admit(std::move(channel), gate));
    if (admitted) {
      return std::move(*admitted);
    }
  }
}

void PacketListener::abort() noexcept {
  for (auto& queue : queues_) {
    queue->waiter.aborted.store(true);
    queue->driver->interrupt();
  }
}

}  // namespace waggle::packet
