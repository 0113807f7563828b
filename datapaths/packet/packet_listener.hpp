// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "datapaths/packet/channel.hpp"

namespace waggle::packet {

/// Accepts connections on all queues of a port. With more than one, a thread per queue waits for its clients; each
/// connection stays on the queue where it came in.
class PacketListener final : public Listener {
 public:
  PacketListener(std::vector<std::unique_ptr<Port>> ports, Endpoint at, const HostOptions& host, std::string name,
                 const ChannelOptions& options);
  ~PacketListener() override;
  Endpoint endpoint() const override { return at_; }
  Result<std::unique_ptr<Channel>> accept() override;
  Result<Admitted> accept(const Gate& gate) override;
  void abort() noexcept override;

 private:
  struct Queue {
    std::shared_ptr<Driver> driver;
    Waiter waiter;
    std::vector<Mode> modes;
    std::thread thread;
  };
  Result<std::unique_ptr<Channel>> accept_on(Queue& queue);

  Endpoint at_;
  std::string name_;
  ChannelOptions options_;
  std::vector<std::unique_ptr<Queue>> queues_;

  // With several queues
  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<Result<std::unique_ptr<Channel>>> accepted_;
};

}  // namespace waggle::packet
