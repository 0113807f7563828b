// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/testing/virtual_network.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace waggle::packet::testing {

/// One end. arm() must never be called: time is not the port's.
class VirtualPort final : public Port {
 public:
  VirtualPort(VirtualNetwork& network, const Peer& address, VirtualLink& uplink,
              const VirtualNetwork::PortOptions& options)
      : network_(network), address_(address), uplink_(uplink), options_(options), random_(address.port) {}
  ~VirtualPort() override {
    for (const std::uint32_t frame : arrived_) {
      network_.free_frame(frame);
    }
    network_.ports_.erase(VirtualNetwork::key(address_));
  }

  Capabilities capabilities() const override {
    return {.packet = options_.packet, .rx_capacity = options_.rx_capacity, .tx_capacity = options_.tx_capacity};
  }
  Peer local() const override { return address_; }

  std::size_t lease(std::span<TxFrame> frames) override {
    const std::size_t count = std::min<std::size_t>(frames.size(), options_.tx_capacity - leased_);
    for (TxFrame& frame : frames.first(count)) {
      const std::uint32_t index = network_.take_frame();
      frame = {.packet = network_.frames_[index].packet, .room = options_.packet, .handle = index};
    }
    leased_ += count;
    return count;
  }
  Result<std::size_t> send(std::span<const TxFrame> frames) override {
    std::size_t count = frames.size();
    if (options_.refuses > 0 && std::bernoulli_distribution(options_.refuses)(random_)) {
      count = random_() % (count + 1);
    }
    for (const TxFrame& frame : frames.first(count)) {
      check(frame);
      network_.transmit(*this, static_cast<std::uint32_t>(frame.handle), frame.length, frame.to);
    }
    leased_ -= count;
    sent_ += count;
    return count;
  }
  void give_back(std::span<const TxFrame> frames) override {
    for (const TxFrame& frame : frames) {
      network_.free_frame(static_cast<std::uint32_t>(frame.handle));
    }
    leased_ -= frames.size();
  }
  Result<std::size_t> poll(std::span<RxFrame> frames) override {
    const std::size_t count = std::min(frames.size(), arrived_.size());
    for (RxFrame& frame : frames.first(count)) {
      const std::uint32_t index = arrived_.front();
      arrived_.pop_front();
      const auto& held = network_.frames_[index];
      frame = {.packet = held.packet, .length = held.length, .handle = index, .from = held.from};
    }
    polled_ += count;
    return count;
  }
  void release(std::span<const RxFrame> frames) override {
    for (const RxFrame& frame : frames) {
      // Whoever still reads a released frame reads nonsense.
      std::memset(frame.packet, 0xEE, frame.length);
      network_.free_frame(static_cast<std::uint32_t>(frame.handle));
    }
    polled_ -= frames.size();
  }
  void reclaim() override {}
  Result<Watch> arm(Time) override { throw std::logic_error("virtual time does not wait"); }
  Result<Peer> resolve(Peer peer, const std::stop_token&) override { return peer; }
  std::vector<Mode> modes() const override { return {}; }
  Counters counters() const override { return {{"frames_sent", sent_}}; }

  bool deliver(std::uint32_t frame) {
    if (arrived_.size() >= options_.rx_capacity) {
      return false;
    }
    arrived_.push_back(frame);
    return true;
  }
  bool waiting() const { return !arrived_.empty(); }
  const Peer& address() const { return address_; }
  VirtualLink& uplink() { return uplink_; }

 private:
  void check(const TxFrame& frame) const {
    if (frame.length == 0 || frame.length > options_.packet) {
      throw std::logic_error("a packet of " + std::to_string(frame.length) + " bytes was sent");
    }
  }

  VirtualNetwork& network_;
  Peer address_;
  VirtualLink& uplink_;
  VirtualNetwork::PortOptions options_;
  std::mt19937_64 random_;
  std::deque<std::uint32_t> arrived_;
  std::size_t leased_ = 0;
  std::size_t polled_ = 0;
  std::uint64_t sent_ = 0;
};

VirtualNetwork::~VirtualNetwork() = default;

std::unique_ptr<Port> VirtualNetwork::open(const Peer& address, VirtualLink& uplink, const PortOptions& options) {
  auto port = std::make_unique<VirtualPort>(*this, address, uplink, options);
  if (!ports_.emplace(key(address), port.get()).second || options.packet > room_) {
    throw std::logic_error("the address is taken, or the packets are too large");
  }
  return port;
}

bool VirtualNetwork::waiting(const Peer& address) const {
  const auto port = ports_.find(key(address));
  return port != ports_.end() && port->second->waiting();
}

std::uint32_t VirtualNetwork::take_frame() {
  if (free_.empty()) {
    Frame& frame = frames_.emplace_back();
    frame.memory = std::make_unique<std::byte[]>(room_ + 128);
    const auto at = reinterpret_cast<std::uintptr_t>(frame.memory.get()) + kDataHeader;
    frame.packet = frame.memory.get() + ((at + 63) / 64 * 64 - at);
    free_.push_back(static_cast<std::uint32_t>(frames_.size() - 1));
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void VirtualNetwork::transmit(VirtualPort& port, std::uint32_t frame, std::uint32_t length, const Peer& to) {
  frames_[frame].length = length;
  frames_[frame].from = port.address() == inside_ ? outside_ : port.address();
  if (tap_) {
    tap_({now_, frames_[frame].from, to, ByteView(frames_[frame].packet, length)});
  }
  const auto fate = port.uplink().carry(now_, length);
  for (std::size_t i = fate.count; i-- > 0;) {
    const VirtualLink::Copy& copy = fate.copies[i];
    const std::uint32_t index = i > 0 ? take_frame() : frame;
    Frame& held = frames_[index];
    if (i > 0) {
      std::memcpy(held.packet, frames_[frame].packet, length);
    }
    held.length = copy.length;
    held.from = frames_[frame].from;
    VirtualLink::damage(ByteSpan(held.packet, length), copy);
    events_.push({copy.at, order_++, index, key(to)});
  }
  if (fate.count == 0) {
    free_frame(frame);
  }
}

void VirtualNetwork::advance(Time to) {
  while (!events_.empty() && events_.top().at <= to) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    const auto port = ports_.find(event.to);
    if (port == ports_.end() || !port->second->deliver(event.frame)) {
      ++dropped_;
      free_frame(event.frame);
    }
  }
  now_ = std::max(now_, to);
}

}  // namespace waggle::packet::testing
