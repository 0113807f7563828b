// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datapaths/datapath.hpp"
#include "datapaths/packet/driver.hpp"

namespace waggle::packet {

/// A channel over the reliable transport. A peer that takes nothing of what waits for it for `timeout`, or stops in the
/// middle of a message or a payload, ends it with Fault::timeout. Destroying it waits for nothing unless nobody else
/// uses the driver.
class PacketChannel final : public Channel {
 public:
  PacketChannel(std::shared_ptr<Driver> driver, Connection& connection, std::string name, std::vector<Mode> modes,
                std::chrono::nanoseconds timeout);
  ~PacketChannel() override;
  /// Waits until the server has answered.
  Result<> establish();

  Facts facts() const override;
  Counters counters() const override;
  Result<> send(ByteView message) override;
  /// Returns when every byte has left once. What is lost later is read from the file again, through a descriptor of
  /// our own; a file that has changed meanwhile shows in the digest.
  Result<Sent> send(ByteView message, const Outgoing& extent) override;
  Result<> flush() override;
  Result<> expect(const Incoming& incoming) override;
  void cancel(const ExtentId& id) override;
  void end_receiving() noexcept override;
  Result<Event> next(std::chrono::nanoseconds timeout) override;
  void abort() noexcept override;

 private:
  struct Announced {
    std::uint32_t sequence = 0;
    ExtentId id;
    Inbound* extent = nullptr;
  };
  Result<> queue(Driver::Lock& lock, ByteView message, const ExtentId* extent);
  bool message_ready() const;
  std::uint64_t missing() const;
  std::uint64_t arrived() const;
  Result<> check_progress(std::uint64_t left, std::uint64_t came, std::string_view what);
  Result<Event> take_message();
  Result<Event> await_extent(Driver::Lock& lock);
  void let_go();
  Result<> health() const;
  /// Neither failed nor closed in order: who waits for the peer to take or send something waits for nothing otherwise.
  Result<> hears() const;
  Time step() const;

  std::shared_ptr<Driver> driver_;
  Connection* connection_;
  std::string name_;
  std::vector<Mode> modes_;
  std::chrono::nanoseconds timeout_;
  const bool reports_port_;
  Waiter waiter_;
  std::size_t held_ = 0;  // bytes of the message stream that the user may still look at
  std::optional<Announced> awaited_;
  Inbound* shown_ = nullptr;  // extent whose view the user may still look at
  bool receiving_ = true;     // until end_receiving()
  std::uint32_t announced_ = 0;
};

}  // namespace waggle::packet
