// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <unordered_map>
#include <vector>

#include "datapaths/packet/port.hpp"
#include "datapaths/packet/simulated/virtual_link.hpp"

namespace waggle::packet::testing {

class VirtualPort;

/// Ports, links and a clock that moves only when it is told to. For one thread. The frames are handed from sender to
/// receiver as they are: nothing is copied but duplicates.
class VirtualNetwork {
 public:
  /// What a port of this network is like.
  struct PortOptions {
    std::uint32_t packet = 1472;
    std::uint32_t rx_capacity = 1024;
    std::uint32_t tx_capacity = 1024;
    double refuses = 0;  ///< probability that send() takes only a part of a burst
  };
  struct Wire {
    Time now;
    Peer from;  ///< as the receiver sees it
    Peer to;
    ByteView packet;
  };

  explicit VirtualNetwork(std::uint32_t largest = 9000) : room_(largest) {}
  ~VirtualNetwork();

  /// All that this port sends goes over `uplink`, which must outlive the network and may be shared.
  std::unique_ptr<Port> open(const Peer& address, VirtualLink& uplink, const PortOptions& options);

  Time now() const { return now_; }
  /// When the next packet arrives somewhere, or kNever.
  Time next() const { return events_.empty() ? kNever : events_.top().at; }
  /// Moves time on and delivers what has arrived by then.
  void advance(Time to);

  /// Whether packets wait to be polled there.
  bool waiting(const Peer& address) const;

  /// Sees every packet as it is sent, before anything happens to it.
  void watch(std::function<void(const Wire&)> tap) { tap_ = std::move(tap); }
  /// From now on packets from `inside` seem to come from `outside`, as behind a router that has forgotten; nobody is
  /// reached at `outside`. Equal addresses end that.
  void translate(const Peer& inside, const Peer& outside) { inside_ = inside, outside_ = outside; }

  /// Frames that are leased, polled or under way.
  std::size_t frames_in_use() const { return frames_.size() - free_.size(); }
  std::uint64_t dropped() const { return dropped_; }  ///< because a receiver's queue was full or nobody listened

 private:
  friend class VirtualPort;
  struct Frame {
    std::unique_ptr<std::byte[]> memory;
    std::byte* packet = nullptr;
    std::uint32_t length = 0;
    Peer from;
  };
  struct Event {
    Time at;
    std::uint64_t order;
    std::uint32_t frame;
    std::uint64_t to;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  static std::uint64_t key(const Peer& peer) { return std::uint64_t{peer.ip} << 16U | peer.port; }
  std::uint32_t take_frame();
  void free_frame(std::uint32_t frame) { free_.push_back(frame); }
  void transmit(VirtualPort& port, std::uint32_t frame, std::uint32_t length, const Peer& to);

  std::uint32_t room_;
  Time now_ = 1'000'000'000;
  std::deque<Frame> frames_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  std::unordered_map<std::uint64_t, VirtualPort*> ports_;
  std::function<void(const Wire&)> tap_;
  Peer inside_;
  Peer outside_;
  std::uint64_t dropped_ = 0;
};

}  // namespace waggle::packet::testing
