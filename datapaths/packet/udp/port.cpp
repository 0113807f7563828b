// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/port.hpp"

#include <linux/sock_diag.h>
#include <poll.h>

#include <algorithm>

#include "datapaths/packet/udp/receiver.hpp"
#include "datapaths/packet/udp/sender.hpp"

namespace waggle::packet {
namespace {

/// Bytes of the receive buffer that one waiting packet is charged for: drivers spend a page on it, or the next power of
/// two, and the kernel's own structures come on top ("truesize").
std::uint32_t charge(std::uint32_t packet) {
  std::uint32_t page = 4096;
  while (page < packet + 640) {
    page *= 2;
  }
  return page + 512;
}

class UdpPort final : public Port {
 public:
  static Result<std::unique_ptr<Port>> create(UdpSocket socket) {
    WAGGLE_LET(sender, UdpSender::create(socket));
    WAGGLE_LET(receiver, UdpReceiver::create(socket));
    return std::unique_ptr<Port>(new UdpPort(std::move(socket), std::move(sender), std::move(receiver)));
  }

  Capabilities capabilities() const override {
    return {.packet = socket_.packet,
            .rx_capacity = std::max(1U, socket_.receive_buffer / charge(socket_.packet)),
            .tx_capacity = UdpSender::kFrames,
            .direct = true};
  }
  Peer local() const override { return socket_.local; }

  std::size_t lease(std::span<TxFrame> frames) override { return sender_->lease(frames); }
  Result<std::size_t> send(std::span<const TxFrame> frames) override { return sender_->send(frames); }
  void give_back(std::span<const TxFrame> frames) override { sender_->give_back(frames); }
  Result<std::size_t> poll(std::span<RxFrame> frames) override { return receiver_->poll(frames); }
  void release(std::span<const RxFrame> frames) override { receiver_->release(frames); }
  void reclaim() override {}

  Result<Watch> arm(Time deadline) override {
    ++waits_;
    return Watch{socket_.fd.get(), POLLIN, deadline};
  }
  Time due() const override { return receiver_->pending() ? 0 : kNever; }
  Result<Peer> resolve(Peer peer, const std::stop_token&) override { return peer; }

  std::vector<Mode> modes() const override {
    std::vector<Mode> modes = socket_.modes_now();
    if (!sender_->segments()) {
      std::ranges::find(modes, "gso", &Mode::name)->granted = "no";
    }
    return modes;
  }
  Counters counters() const override {
    Counters all = sender_->counters();
    all.merge(receiver_->counters());
    all["waits"] = waits_;
    std::uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof memory;
    if (::getsockopt(socket_.fd.get(), SOL_SOCKET, SO_MEMINFO, memory, &size) == 0) {
      all["rx_dropped"] = memory[SK_MEMINFO_DROPS];
    }
    return all;
  }

 private:
  UdpPort(UdpSocket socket, std::unique_ptr<UdpSender> sender, std::unique_ptr<UdpReceiver> receiver)
      : socket_(std::move(socket)), sender_(std::move(sender)), receiver_(std::move(receiver)) {}

  UdpSocket socket_;
  std::unique_ptr<UdpSender> sender_;
  std::unique_ptr<UdpReceiver> receiver_;
  Tally waits_;
};

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_udp_ports(const PortRequest& request) {
  const std::uint64_t queues = request.settings.number("queues");
  // The kernel spreads peers over sockets of one port; a client has one peer, so more would stay idle.
  const std::uint64_t count = request.listens ? queues : 1;
  std::uint16_t number = request.local.port;
  std::vector<std::unique_ptr<Port>> ports;
  for (std::uint64_t queue = 0; queue < count; ++queue) {
    WAGGLE_LET(socket, open_udp_socket(request, number, count > 1));
    socket.modes.push_back({"queues", std::to_string(count), std::to_string(count)});
    number = socket.local.port;
    WAGGLE_LET(port, UdpPort::create(std::move(socket)));
    ports.push_back(std::move(port));
  }
  return ports;
}

std::vector<OptionInfo> udp_options() {
  return {
      {"gso", "auto", OptionType::choice({"auto", "yes", "no"}),
       "one system call for many packets to one peer (UDP_SEGMENT): auto (as long as kernel and device do), yes or no"},
      {"gro", "yes", OptionType::on_or_off("yes", "no"), "many packets of one peer in one buffer (UDP_GRO)"},
      {"busy_poll", "0", OptionType::number(0, 1'000'000),
       "microseconds for which a receiving system call polls the device (SO_BUSY_POLL)"},
      {"udp_checksum", "yes", OptionType::on_or_off("yes", "no"),
       "fill in the UDP checksum; gso needs it, the CRC32C of a packet does not"},
      {"queues", "1", OptionType::number(1, 64), "sockets that share the server's port (SO_REUSEPORT)"}};
}

}  // namespace waggle::packet
