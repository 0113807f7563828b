// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "datapaths/packet/port.hpp"
#include "datapaths/packet/simulated/virtual_link.hpp"
#include "datapaths/packet/slab.hpp"

namespace waggle::packet {

/// Another port behind a virtual link: what that one receives is lost, held back or damaged in real time. What it sends
/// goes out as it is, since the other end has a link of its own.
class ImpairedPort final : public Port {
 public:
  /// Packets that may be on their way over the virtual link; more are dropped, as by any queue.
  static constexpr std::size_t kSlots = 8192;

  /// `description` becomes the mode "virtual_link".
  static Result<std::unique_ptr<Port>> create(std::unique_ptr<Port> inner, Impairments impairments, std::uint64_t seed,
                                              std::string description);

  Capabilities capabilities() const override { return inner_->capabilities(); }
  Peer local() const override { return inner_->local(); }
  bool past_kernel() const override { return inner_->past_kernel(); }
  std::size_t lease(std::span<TxFrame> frames) override { return inner_->lease(frames); }
  Result<std::size_t> send(std::span<const TxFrame> frames) override { return inner_->send(frames); }
  void give_back(std::span<const TxFrame> frames) override { inner_->give_back(frames); }
  Result<std::size_t> poll(std::span<RxFrame> frames) override;
  void release(std::span<const RxFrame> frames) override;
  void reclaim() override { inner_->reclaim(); }
  Result<Watch> arm(Time deadline) override { return inner_->arm(deadline); }
  void disarm() override { inner_->disarm(); }
  Time due() const override { return std::min(inner_->due(), held_.empty() ? kNever : held_.top().at); }
  Result<Peer> resolve(Peer peer, const std::stop_token& cancel) override { return inner_->resolve(peer, cancel); }
  std::vector<Mode> modes() const override;
  Counters counters() const override;

 private:
  struct Held {
    Time at = 0;
    std::uint64_t order = 0;
    std::uint32_t slot = 0;
    std::uint32_t length = 0;
    Peer from;
    bool operator<(const Held& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  ImpairedPort(std::unique_ptr<Port> inner, Impairments impairments, std::uint64_t seed, std::string description,
               Slab slots);
  void take_in(Time now, const RxFrame& frame);
  std::byte* slot(std::uint32_t index) const;

  std::unique_ptr<Port> inner_;
  VirtualLink link_;
  std::string description_;
  Slab slots_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<Held> held_;
  std::uint64_t order_ = 0;
  Tally full_;
};

}  // namespace waggle::packet
