// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/tally.hpp"
#include "datapaths/packet/afxdp/joiner.hpp"
#include "datapaths/packet/afxdp/program.hpp"
#include "datapaths/packet/afxdp/queue.hpp"
#include "datapaths/packet/frame.hpp"
#include "datapaths/packet/port.hpp"
#include "datapaths/packet/route.hpp"
#include "datapaths/packet/udp_reservation.hpp"

namespace waggle::packet {

/// What the queues of one interface share. The program goes before the port number is free again.
struct AfxdpInterface {
  UdpReservation reservation;
  Interface interface;
  Station local;
  UdpChecksum checksum;
  RedirectProgram program;
};

/// One AF_XDP socket as a port. A frame leaves from the chunk that it was leased in, at an offset which aligns the
/// payload of DATA packets to 512 bytes, and arrives wherever the kernel places it.
class QueuePort final : public Port {
 public:
  static Result<std::unique_ptr<Port>> create(std::shared_ptr<AfxdpInterface> shared, std::unique_ptr<Queue> queue,
                                              std::vector<Mode> modes);

  /// Largest packet that a chunk holds, sending and receiving, bytes.
  static std::uint32_t room(std::uint32_t chunk);

  Capabilities capabilities() const override;
  Peer local() const override { return {shared_->local.ip, shared_->local.port, shared_->local.mac}; }
  bool past_kernel() const override { return !shared_->interface.loopback; }
  std::size_t lease(std::span<TxFrame> frames) override;
  Result<std::size_t> send(std::span<const TxFrame> frames) override;
  void give_back(std::span<const TxFrame> frames) override;
  Result<std::size_t> poll(std::span<RxFrame> frames) override;
  void release(std::span<const RxFrame> frames) override;
  void reclaim() override;
  Result<Watch> arm(Time deadline) override;
  Time due() const override { return kick_at_; }
  Result<Peer> resolve(Peer peer, const std::stop_token& cancel) override;
  std::vector<Mode> modes() const override { return modes_; }
  Counters counters() const override;

 private:
  QueuePort(std::shared_ptr<AfxdpInterface> shared, std::unique_ptr<Queue> queue, std::vector<Mode> modes);
  Result<> kick();
  Result<> look() const;
  Result<> judge(int error);
  Result<> wake_receiver();
  void refill(std::span<const std::uint64_t> addresses);
  void describe(const TxFrame& frame, std::uint32_t& at);
  std::uint32_t parts_to_send(const TxFrame& frame) const;
  bool take(std::uint32_t at, std::uint32_t parts, RxFrame& frame);
  std::uint64_t first_of(std::uint64_t address) const;

  std::shared_ptr<AfxdpInterface> shared_;
  std::unique_ptr<Queue> queue_;
  std::vector<Mode> modes_;
  std::uint32_t packet_;
  std::uint32_t group_;           ///< chunks in a row that a frame to send may fill
  std::uint32_t parts_;           ///< chunks that a received frame may be spread over
  std::optional<Joiner> joiner_;  ///< when it may be more than one
  bool busy_polls_;
  std::uint64_t received_before_ = 0;  ///< at the last arm()
  Time armed_before_ = 0;
  Time looked_ = 0;                  ///< when look() was called last
  bool down_ = false;                ///< the device, as far as the last call has said
  Time kick_at_ = kNever;            ///< there are frames left in the TX ring for which the kernel had no room
  std::vector<std::uint64_t> free_;  ///< chunks to lease, used as a stack
  Tally sent_, received_, tx_bursts_, rx_bursts_, empty_polls_, wakeups_, tx_full_, tx_dropped_, invalid_,
      device_errors_, waits_, naps_;
};

}  // namespace waggle::packet
