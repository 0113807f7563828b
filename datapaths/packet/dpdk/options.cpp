// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet::dpdk {
namespace {

/// IPv4 and UDP headers.
constexpr std::uint32_t kBelowPacket = 20 + 8;
/// The smallest MTU that the transport can start with: packets of 1200 bytes.
constexpr std::uint32_t kLeastMtu = 1200 + kBelowPacket;
/// One virtio descriptor and one mbuf hold a frame of this MTU, and a burst of them stays in an L2 cache.
constexpr std::uint32_t kVhostMtu = 16 * 1024;
constexpr std::uint32_t kMostMtu = 65'000;
/// Frame bytes in a ring: more fall out of the cache before they are used.
constexpr std::uint32_t kRingBytes = 2 << 20;
/// Mbufs that net_af_xdp keeps in its fill ring, whatever the length of the others (XSK_RING_CONS__DEFAULT_NUM_DESCS).
/// Each frame that it receives takes the place of one of them.
constexpr std::uint32_t kXdpFillRing = 2048;
/// With less net_af_xdp does not start.
constexpr std::uint32_t kLeastXdpRing = 1024;
/// Frames beyond those in rings: leased, polled, and on a veth on their way.
constexpr std::uint32_t kMbufsInHand = 512;

/// A number, or `otherwise` where the user left it at 0.
Result<std::uint32_t> number_or(const Settings& settings, std::string_view option, std::uint32_t least,
                                std::uint32_t most, std::uint32_t otherwise) {
  if (settings.text(option) == "0") {
    return otherwise;
  }
  WAGGLE_LET(number, settings.number(option, least, most));
  return static_cast<std::uint32_t>(number);
}

Result<std::uint32_t> mtu_of(const std::string& link, std::uint32_t asked, std::uint32_t device) {
  const std::uint32_t mtu = asked != 0 ? asked : device != 0 ? device : link == "vhost" ? kVhostMtu : 1500;
  if (mtu < kLeastMtu) {
    return fail(Fault::missing, fmt::format("an MTU of {} is too small for dpdk", mtu),
                fmt::format("give the link one of at least {}", kLeastMtu));
  }
  if (asked > kMostMtu) {
    return fail(Fault::usage, fmt::format("an MTU of {} is too large for dpdk", mtu),
                fmt::format("give at most {}", kMostMtu));
  }
  return std::min(mtu, kMostMtu);
}

Result<> size_rings(Options& options, const Settings& settings) {
  const std::uint32_t frame = options.mtu + 14;
  const std::uint32_t least = options.driver == "af_xdp" ? kLeastXdpRing : 32;
  const std::uint32_t fitting = std::clamp(std::bit_floor(kRingBytes / frame), std::max(least, 64U), 1024U);
  WAGGLE_LET(rx, number_or(settings, "rx_descriptors", least, 4096, fitting));
  WAGGLE_LET(tx, number_or(settings, "tx_descriptors", least, 4096, fitting));
  if (!std::has_single_bit(rx) || !std::has_single_bit(tx) || (options.link == "vhost" && rx != tx)) {
    return fail(Fault::usage, fmt::format("{} and {} descriptors make no sense", rx, tx),
                "give powers of two, and on link vhost the same number to both");
  }
  options.rx_descriptors = static_cast<std::uint16_t>(rx);
  options.tx_descriptors = static_cast<std::uint16_t>(tx);
  // Head room of an mbuf, and what aligning the payload may take.
  const std::uint32_t room = 128 + frame + (options.direct ? 512 : 64);
  WAGGLE_LET(data_room, number_or(settings, "data_room", room, 65'535, (room + 63) / 64 * 64));
  options.data_room = static_cast<std::uint16_t>(std::min(data_room, 65'535U));
  const std::uint32_t receiving = options.driver == "af_xdp" ? std::max(rx, kXdpFillRing) : rx;
  const std::uint32_t rings = (receiving + tx) * (options.link == "vhost" ? options.clients : 1U);
  WAGGLE_LET(mbufs, number_or(settings, "mbufs", rings + 256, 1 << 20, rings + kMbufsInHand));
  options.mbufs = mbufs;
  return {};
}

}  // namespace

std::uint32_t Options::packet() const {
  return mtu - kBelowPacket;
}

std::vector<OptionInfo> option_list() {
  return {
      {"wait", "poll", OptionType::choice({"poll", "interrupt"}),
       "poll: never sleeps; interrupt: sleeps when idle, polls when busy"},
      {"vhost_end",
       "client",
       OptionType::choice({"server", "client"}),
       "which end is net_vhost, and copies: server or client; the other is virtio-user",
       {"vhost"}},
      {"ring", "split", OptionType::choice({"split", "packed"}), "virtqueues, split or packed", {"vhost"}},
      {"clients", "4", OptionType::number(1, 64), "how many clients a listener takes at once", {"vhost"}},
      {"driver",
       "af_packet",
       OptionType::choice({"af_packet", "af_xdp"}),
       "poll-mode driver, af_packet or af_xdp",
       {"veth"}},
      {"address",
       "",
       OptionType::text("ADDRESS"),
       "our IPv4 address; empty: what is listened on, or the neighbour of the server's",
       {"nic"}},
      {"rx_descriptors", "0", OptionType::number(0, 4096),
       "length of a receive ring, a power of two; 0: 2 MiB of frames"},
      {"tx_descriptors", "0", OptionType::number(0, 4096), "length of a send ring"},
      {"mbufs", "0", OptionType::number(0, 1 << 20), "frames in the pool; 0: what rings and bursts need"},
      {"data_room", "0", OptionType::number(0, 65'535), "bytes of an mbuf's buffer; 0: what a frame needs"},
      {"lcores", "", OptionType::text("CPUS"), "CPUs of EAL's own threads, as in 0,2-3; empty: those of the process"},
      {"direct", "no", OptionType::on_or_off("yes", "no"), "place frames for O_DIRECT: payload aligned to 512 bytes"},
      {"udp_checksum", "no", OptionType::on_or_off("yes", "no"),
       "fill in UDP checksums; packets carry a CRC32C of their own"},
      {"checksum_offload", "no", OptionType::on_or_off("yes", "no"), "let the device fill them in"},
  };
}

Result<Options> read_options(const Settings& settings, const ChannelOptions& channel, bool listens,
                             std::uint32_t device_mtu) {
  Options options;
  options.link = channel.link;
  options.allow_fallback = settings.allow_fallback();
  options.interrupts = settings.text("wait") == "interrupt";
  options.vhost_here = vhost_is_here(settings.text("vhost_end"), listens);
  options.packed_ring = settings.text("ring") == "packed";
  options.driver = options.link == "veth" ? settings.text("driver") : "";
  options.direct = settings.flag("direct");
  options.checksum_offload = settings.flag("checksum_offload");
  options.checksum = settings.flag("udp_checksum") || options.checksum_offload;
  options.clients = static_cast<std::uint16_t>(listens ? settings.number("clients") : 1);
  options.cpus = settings.text("lcores");
  if (options.cpus.find_first_not_of("0123456789,-") != std::string::npos) {
    return fail(Fault::usage, fmt::format("dpdk.lcores={} makes no sense", options.cpus), "give CPUs as in 0,2-3");
  }
  WAGGLE_LET(mtu, mtu_of(options.link, channel.mtu, device_mtu));
  options.mtu = mtu;
  WAGGLE_TRY(size_rings(options, settings));
  return options;
}

}  // namespace waggle::packet::dpdk
