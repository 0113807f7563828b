// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/peer.hpp"
#include "datapaths/packet/transport/time.hpp"
#include "datapaths/packet/transport/wire.hpp"
#include "datapaths/settings.hpp"

/// What a packet datapath implements: frames go out and come in, in bursts. Only a port knows how; the transport above
/// knows only packets, the UDP payloads inside the frames.
namespace waggle::packet {

/// Ethernet, IPv4 and UDP headers in front of a packet.
inline constexpr std::size_t kFrameHeaders = 14 + 20 + 8;
/// What IPv4 and UDP take of an MTU.
inline constexpr std::uint32_t kIpAndUdp = 20 + 8;
/// Largest burst that anybody asks of a port.
inline constexpr std::size_t kMostBurst = 64;

/// A frame to fill and send. Memory belongs to the port.
struct TxFrame {
  std::byte* packet = nullptr;  ///< where the packet begins; headers below UDP go before it and are the port's
  std::uint32_t room = 0;       ///< bytes that fit
  std::uint32_t length = 0;     ///< bytes of the packet, set by the user before send()
  std::uint64_t handle = 0;     ///< the port's own
  Peer to;                      ///< set by the user before send()
};

/// A frame that has come in. Valid until it is released.
struct RxFrame {
  std::byte* packet = nullptr;
  std::uint32_t length = 0;  ///< bytes of the UDP payload; checked against the headers by the port
  std::uint64_t handle = 0;  ///< the port's own
  Peer from;
};

/// What a port can do, as granted.
struct Capabilities {
  std::uint32_t packet = 1200;       ///< bytes of the largest packet (UDP payload) that interface and frame take
  std::uint32_t rx_capacity = 0;     ///< frames that may wait to be polled before they are dropped: bounds the window
  std::uint32_t tx_capacity = 0;     ///< frames that can be leased at once
  std::uint32_t burst = kMostBurst;  ///< frames per send() and poll() that the port does best with
  bool direct = false;               ///< frames suit O_DIRECT: `packet` + kDataHeader is aligned to 512 bytes
};

/// What to sleep on: until `fd` has one of `events`, or `until` has passed.
struct Watch {
  int fd = -1;       ///< the port's, for poll(2); -1: only the time counts
  short events = 0;  ///< POLLIN …
  Time until = 0;    ///< 0: do not sleep at all
};

/// One queue of an interface, for one thread at a time: threads that share a port hold a lock in all calls but
/// counters() (Driver). A port never sleeps. Whoever has nothing to do asks arm() what to sleep on, sleeps without the
/// lock, so that the others can use the port meanwhile, and calls disarm() under it. All calls are bursts: one virtual
/// call each.
class Port {
 public:
  virtual ~Port() = default;

  virtual Capabilities capabilities() const = 0;
  virtual Peer local() const = 0;  ///< where it sits; address 0: at all addresses of this machine
  std::uint16_t local_port() const { return local().port; }
  /// Whether its packets come from a device past the kernel, so that whoever is there can send to it, whatever its
  /// address says.
  virtual bool past_kernel() const { return false; }

  /// Hands out up to `frames.size()` empty frames and returns how many; fewer when too many are under way.
  virtual std::size_t lease(std::span<TxFrame> frames) = 0;
  /// Sends frames in order and returns how many were accepted: a prefix, which belongs to the port again. The rest is
  /// still the caller's, to be sent later or given back. An error means that the port is dead.
  virtual Result<std::size_t> send(std::span<const TxFrame> frames) = 0;
  /// Takes leased frames back unsent.
  virtual void give_back(std::span<const TxFrame> frames) = 0;
  /// Brings up to `frames.size()` frames that have come in, without waiting.
  virtual Result<std::size_t> poll(std::span<RxFrame> frames) = 0;
  /// Gives polled frames back, in any order.
  virtual void release(std::span<const RxFrame> frames) = 0;
  /// Collects frames that have left, so that they can be leased again; called when lease() comes up short.
  virtual void reclaim() = 0;

  /// Gets ready for a sleep until `deadline` at most, after a poll() that brought nothing. Any frame that comes in
  /// after that poll() ends the sleep, or has it end at once, until somebody has polled it; a port may let frames
  /// gather for some microseconds. What is used until disarm() must leave it so.
  virtual Result<Watch> arm(Time deadline) = 0;
  /// The sleep is over. Only after arm(), and by the one who has called it.
  virtual void disarm() {}
  /// When poll() will have something to do though nothing comes in: frames that the port holds already, or that the
  /// kernel has not taken yet. A sleep must not last longer, whoever has caused it.
  virtual Time due() const { return kNever; }

  /// Asks how to reach an address: fills in `mac` (neighbour table, ARP). Before packets are sent to a new peer.
  /// Fault::cancelled as soon as a stop is requested.
  virtual Result<Peer> resolve(Peer peer, const std::stop_token& cancel) = 0;

  /// Requested and granted, read back from kernel or driver. What the kernel refuses later changes it; from any thread.
  virtual std::vector<Mode> modes() const = 0;
  /// "frames_sent", "frames_received", "tx_bursts", "rx_bursts", "empty_polls", "wakeup_calls", "tx_ring_full",
  /// "rx_ring_full", "rx_dropped" … ; from any thread (count in a Tally).
  virtual Counters counters() const = 0;
};

/// How to make ports. `queues` > 1: one Port per queue, all of one UDP port number. What waits meanwhile ends with
/// Fault::cancelled as soon as `options.cancel` says so.
struct PortRequest {
  Endpoint local;   ///< where to listen; for a client empty, or the address to send from
  Endpoint remote;  ///< for a client: the server; decides the interface
  bool listens = false;
  const ChannelOptions& options;
  const Settings& settings;
};
using OpenPorts = Result<std::vector<std::unique_ptr<Port>>> (*)(const PortRequest& request);

/// One of the two processes that use a port, as far as it decides about copies and memory.
struct PortUse {
  bool listens = false;
  std::string_view link;
  std::uint32_t mtu = 0;  ///< bytes; 0: not known
  const Settings& settings;
};

/// What a port says of itself; it becomes a Datapath by add_port().
struct PortInfo {
  std::string_view name;
  std::string_view summary;
  std::vector<std::string_view> links = {"veth", "loopback", "nic"};  ///< the default first
  /// CPU copies per payload byte below the port, on one side, and why: "send: UMEM -> skb".
  CopyModel (*copies)(Side side, const PortUse& use) = nullptr;
  std::vector<OptionInfo> options = {};
  std::vector<ChannelOption> heeds = {};  ///< Datapath::heeds()
  Result<> (*available)() = [] { return Result<>(); };
  bool shared = false;  ///< a process must use one port for all its connections to a server
  Napi (*napi)(Wait wait) = [](Wait) { return Napi::softirq; };  ///< Datapath::napi()
  /// Datapath::hugepage_bytes()
  std::uint64_t (*hugepage_bytes)(const PortUse& use) = [](const PortUse&) { return std::uint64_t{0}; };
  /// Datapath::needs(), but for what follows from hugepage_bytes and from how a channel waits.
  std::vector<Need> (*needs)(const PortUse& use) = [](const PortUse&) { return std::vector<Need>(); };
  bool demonstrates = false;  ///< Datapath::demonstrates()
};

/// Makes a datapath of a port, under the reliable transport, and registers it:
/// `const Registration registration = add_port(info, open);` at the end of the port's file.
Registration<Datapath> add_port(PortInfo info, OpenPorts open);

}  // namespace waggle::packet
