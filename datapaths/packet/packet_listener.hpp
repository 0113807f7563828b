// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "datapaths/packet/channel.hpp"
#include "datapaths/packet/reception.hpp"

namespace waggle::packet {

/// Accepts connections on all queues of a port. Whoever calls accept() waits at the port itself, or, with more than one
/// queue, for a thread per queue that does; each connection stays on the queue where it came in.
class PacketListener final : public Listener {
 public:
  PacketListener(std::vector<std::unique_ptr<Port>> ports, const HostOptions& host, std::string name,
                 const ChannelOptions& options);
  ~PacketListener() override;
  Endpoint endpoint() const override { return at_; }
  bool past_kernel() const override { return past_kernel_; }
  Result<std::unique_ptr<Channel>> accept() override;
  Result<Admitted> accept(const Gate& gate) override;
  void abort() noexcept override;

 private:
  struct Queue {
    std::shared_ptr<Driver> driver;
    Reception reception;
    Waiter waiter;
    std::vector<Mode> modes;
    std::thread thread;
  };
  std::unique_ptr<Channel> channel_of(Queue& queue, Connection& connection);
  Result<std::optional<Admitted>> admit(Queue& queue, const Gate& gate);
  Result<> wait(Time deadline);
  void watch(Queue& queue);

  Endpoint at_;
  bool past_kernel_;
  std::string name_;
  ChannelOptions options_;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::size_t first_ = 0;  // queue that accept(gate) asks first

  // With several queues
  std::mutex mutex_;
  std::condition_variable news_;
  bool knocked_ = false;
  Result<> health_;
};

}  // namespace waggle::packet
