// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/port.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"

namespace waggle::packet::dpdk {
namespace {

constexpr Time kArpTimeout = std::chrono::nanoseconds(kNeighbourPatience).count();
constexpr Time kArpInterval = 100'000'000;
/// Frames per burst: enough to spread the cost of a burst, and few enough to stay in the cache.
constexpr std::uint32_t kBurst = 32;
/// One poll in so many looks at another client than the busiest.
constexpr std::uint32_t kLookAround = 16;
/// Empty polls in a row before a port that may sleep does: some 20 microseconds, less than a sleep and its end cost.
constexpr std::uint32_t kPollsBeforeSleep = 500;
/// Bytes of an Ethernet frame on the wire that no memory holds: preamble, checksum and gap (IEEE 802.3).
constexpr std::size_t kOnWire = 8 + 4 + 12;

rte_mbuf* mbuf_of(std::uint64_t handle) {
  return reinterpret_cast<rte_mbuf*>(handle);  // NOLINT(performance-no-int-to-ptr): a handle that we have made
}

/// Bytes into the buffer of `mbuf` at which a packet must begin for its payload to be aligned.
std::uint32_t packet_offset(const rte_mbuf* mbuf, std::uintptr_t alignment) {
  constexpr std::uint32_t kBefore = kFrameHeaders + kDataHeader;
  const auto payload = reinterpret_cast<std::uintptr_t>(mbuf->buf_addr) + RTE_PKTMBUF_HEADROOM + kBefore;
  const std::uintptr_t padding = (alignment - payload % alignment) % alignment;
  return static_cast<std::uint32_t>(RTE_PKTMBUF_HEADROOM + padding) + kFrameHeaders;
}

/// Has the device fill in the UDP checksum, over the sum of the pseudo-header that it expects there.
void offload_checksum(rte_mbuf* mbuf) {
  mbuf->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
  mbuf->l2_len = sizeof(rte_ether_hdr);
  mbuf->l3_len = sizeof(rte_ipv4_hdr);
  auto* ip = rte_pktmbuf_mtod_offset(mbuf, rte_ipv4_hdr*, sizeof(rte_ether_hdr));
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, mbuf->ol_flags);
}

/// Where an IPv4 frame wants to go.
std::uint32_t destination_of(ByteView frame) {
  rte_ipv4_hdr ip;
  std::memcpy(&ip, frame.data() + sizeof(rte_ether_hdr), sizeof ip);
  return rte_be_to_cpu_32(ip.dst_addr);
}

}  // namespace

Capabilities DpdkPort::capabilities() const {
  const Options& options = parts_.options;
  return {.packet = options.packet(),
          .rx_capacity = options.rx_descriptors,
          .tx_capacity = options.tx_descriptors,
          .burst = kBurst,
          .direct = options.direct};
}

std::size_t DpdkPort::lease(std::span<TxFrame> frames) {
  std::array<rte_mbuf*, kMostBurst> mbufs;
  std::size_t count = std::min(frames.size(), kMostBurst);
  while (count > 0 && rte_pktmbuf_alloc_bulk(parts_.pool.get(), mbufs.data(), static_cast<unsigned>(count)) != 0) {
    ++count_.no_mbufs;
    count /= 2;
  }
  const std::uintptr_t alignment = parts_.options.direct ? 512 : 64;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t at = packet_offset(mbufs[i], alignment);
    frames[i].packet = static_cast<std::byte*>(mbufs[i]->buf_addr) + at;
    frames[i].room = parts_.options.packet();
    frames[i].handle = reinterpret_cast<std::uintptr_t>(mbufs[i]);
  }
  return count;
}

Result<std::size_t> DpdkPort::send(std::span<const TxFrame> frames) {
  const std::size_t present = devices_.size();
  if (present == 0) {
    return 0;
  }
  std::size_t sent = 0;
  while (sent < frames.size()) {
    const std::uint8_t number = frames[sent].to.mac[1];
    std::size_t end = std::min(frames.size(), sent + kMostBurst);
    std::size_t at = 0;
    Station here = parts_.here;
    if (present > 1) {
      at = devices_.find(number);
      here.mac[1] = number;
      const auto other = std::find_if(frames.begin() + static_cast<std::ptrdiff_t>(sent), frames.end(),
                                      [number](const TxFrame& frame) { return frame.to.mac[1] != number; });
      end = std::min(end, static_cast<std::size_t>(other - frames.begin()));
    }
    const std::size_t accepted = send_on(devices_[at], here, frames.subspan(sent, end - sent));
    sent += accepted;
    if (sent < end) {
      ++count_.tx_ring_full;
      break;
    }
  }
  count_.sent += sent;
  return sent;
}

std::size_t DpdkPort::send_on(Device& device, const Station& here, std::span<const TxFrame> frames) {
  std::array<rte_mbuf*, kMostBurst> mbufs;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const TxFrame& frame = frames[i];
    rte_mbuf* mbuf = mbuf_of(frame.handle);
    write_headers(frame.packet, frame.length, here, frame.to,
                  parts_.options.checksum && !device.checksum_offload() ? UdpChecksum::computed : UdpChecksum::none);
    const auto at = frame.packet - static_cast<std::byte*>(mbuf->buf_addr);
    mbuf->data_off = static_cast<std::uint16_t>(static_cast<std::size_t>(at) - kFrameHeaders);
    mbuf->data_len = static_cast<std::uint16_t>(frame.length + kFrameHeaders);
    mbuf->pkt_len = mbuf->data_len;
    if (device.checksum_offload()) {
      offload_checksum(mbuf);
    }
    mbufs[i] = mbuf;
  }
  ++count_.tx_bursts;
  return device.send({mbufs.data(), frames.size()});
}

void DpdkPort::give_back(std::span<const TxFrame> frames) {
  for (const TxFrame& frame : frames) {
    rte_pktmbuf_free(mbuf_of(frame.handle));
  }
}

/// Turns mbufs into frames, in place of those that are not for us, and says how many they are.
std::size_t DpdkPort::take(std::span<rte_mbuf*> mbufs, std::span<RxFrame> frames) {
  std::size_t count = 0;
  for (rte_mbuf* mbuf : mbufs) {
    const ByteSpan frame(rte_pktmbuf_mtod(mbuf, std::byte*), mbuf->data_len);
    if (parts_.here.ip == 0 && frame.size() >= kFrameHeaders) [[unlikely]] {
      parts_.here.ip = destination_of(frame);
      parts_.here.mac = vhost_mac(parts_.here.ip);
    }
    const auto parsed = mbuf->nb_segs == 1 ? parse_frame(frame, parts_.here) : std::nullopt;
    if (!parsed) [[unlikely]] {
      on_other(frame);
      count_.segmented += mbuf->nb_segs == 1 ? 0 : 1;
      ++count_.foreign;
      rte_pktmbuf_free(mbuf);
      continue;
    }
    frames[count++] = {.packet = parsed->packet,
                       .length = parsed->length,
                       .handle = reinterpret_cast<std::uintptr_t>(mbuf),
                       .from = parsed->from};
  }
  return count;
}

/// A frame that is no packet for us.
void DpdkPort::on_other(ByteView frame) {
  const auto news = parts_.own_arp ? read_arp(frame, parts_.here) : std::nullopt;
  if (!news) {
    return;
  }
  heard_ = news;
  if (news->asks_us) {
    send_arp(arp_answer(parts_.here, *news));
  }
}

void DpdkPort::send_arp(const ArpFrame& frame) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(parts_.pool.get());
  if (mbuf == nullptr) {
    return;
  }
  std::memcpy(rte_pktmbuf_append(mbuf, kArpFrame), frame.data(), kArpFrame);
  if (devices_[0].send({&mbuf, 1}) == 0) {
    rte_pktmbuf_free(mbuf);
  }
}

/// By ARP of our own. Packets that come in meanwhile are lost: this is before anything is sent.
Result<Peer> DpdkPort::ask_for(Peer peer, const std::stop_token& cancel) {
  heard_.reset();
  for (Time now = now_ns(), end = now + kArpTimeout, ask = now; now < end; now = now_ns()) {
    if (now >= ask) {
      send_arp(arp_question(parts_.here, peer.ip));
      ask = now + kArpInterval;
    }
    std::array<RxFrame, kMostBurst> frames;
    WAGGLE_LET(count, poll(frames));
    release({frames.data(), count});
    if (heard_ && heard_->ip == peer.ip) {
      peer.mac = heard_->mac;
      return peer;
    }
    if (cancel.stop_requested()) {
      return fail(Fault::cancelled, fmt::format("asking for {} was called off", ipv4_text(peer.ip)));
    }
  }
  return fail(Fault::peer_gone, fmt::format("nobody answers for {} by ARP", ipv4_text(peer.ip)),
              "see that the server runs and that the address is right");
}

/// From the device that was the last to have something; now and then, and when it has nothing, from the next one.
std::size_t DpdkPort::receive(std::span<rte_mbuf*> mbufs) {
  const std::size_t present = devices_.size();
  if (present <= 1) [[likely]] {
    return present == 0 ? 0 : devices_[0].receive(mbufs);
  }
  if (++polls_ % kLookAround != 0) {
    if (const std::size_t count = devices_[busy_device_].receive(mbufs); count > 0) {
      return count;
    }
  }
  next_device_ = next_device_ + 1 >= present ? 0 : next_device_ + 1;
  const std::size_t count = devices_[next_device_].receive(mbufs);
  busy_device_ = count > 0 ? next_device_ : busy_device_;
  return count;
}

Result<std::size_t> DpdkPort::poll(std::span<RxFrame> frames) {
  std::array<rte_mbuf*, kMostBurst> mbufs;
  const std::size_t most = std::min(frames.size(), kMostBurst);
  std::size_t count = 0;
  if (auto& stash = devices_.stashed(); !stash.empty()) [[unlikely]] {
    const std::size_t stashed = std::min(most, stash.size());
    count = take({stash.data(), stashed}, frames);
    stash.erase(stash.begin(), stash.begin() + static_cast<std::ptrdiff_t>(stashed));
    count_.received += count;
    return count;
  }
  count = take({mbufs.data(), receive({mbufs.data(), most})}, frames);
  if (count == 0) {
    ++count_.empty_polls;
    ++idle_polls_;
    return 0;
  }
  idle_polls_ = 0;
  ++count_.rx_bursts;
  count_.received += count;
  return count;
}

void DpdkPort::release(std::span<const RxFrame> frames) {
  std::array<rte_mbuf*, kMostBurst> mbufs;
  for (std::size_t done = 0; done < frames.size();) {
    const std::size_t part = std::min(frames.size() - done, kMostBurst);
    std::ranges::transform(frames.subspan(done, part), mbufs.begin(),
                           [](const RxFrame& frame) { return mbuf_of(frame.handle); });
    rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(part));
    done += part;
  }
}

void DpdkPort::reclaim() {
  for (std::size_t at = 0; at < devices_.size(); ++at) {
    devices_[at].clean();
  }
}

Result<Watch> DpdkPort::arm(Time deadline) {
  WAGGLE_TRY(devices_.trouble());
  if (!devices_.sleeps() || idle_polls_ < kPollsBeforeSleep || deadline <= now_ns()) {
    return Watch{};
  }
  if (!devices_.arm()) {
    return Watch{};
  }
  ++count_.wakeup_calls;
  return Watch{devices_.watched(), POLLIN, deadline};
}

void DpdkPort::disarm() {
  devices_.disarm();
}

Result<Peer> DpdkPort::resolve(Peer peer, const std::stop_token& cancel) {
  if (parts_.options.link == "vhost") {
    // There is only one at the other end: no need to ask.
    peer.mac = vhost_mac(peer.ip);
    return peer;
  }
  if (parts_.own_arp) {
    return ask_for(peer, cancel);
  }
  WAGGLE_LET(route, route_to(peer.ip));
  WAGGLE_LET(mac, neighbour(route.interface, route.next_hop, cancel));
  peer.mac = mac;
  return peer;
}

std::vector<Mode> DpdkPort::modes() const {
  const Options& options = parts_.options;
  // A listener may have no device yet. Whatever it will be granted differently is an error unless that was allowed.
  const Device* device = devices_.size() > 0 ? &devices_[0] : nullptr;
  const auto flag = [](bool on) { return std::string(on ? "on" : "off"); };
  std::vector<Mode> modes;
  if (options.driver == "af_packet") {
    modes.push_back({"packets apart", "auto", parts_.apart ? "yes" : "no"});
  }
  modes.insert(modes.end(),
               {{"driver", parts_.driver, device != nullptr ? device->driver() : parts_.driver},
                {"wait", options.interrupts ? "interrupt" : "poll", devices_.sleeps() ? "interrupt" : "poll"},
                {"checksum offload", flag(options.checksum_offload),
                 flag(device != nullptr ? device->checksum_offload() : options.checksum_offload)},
                {"mtu", std::to_string(options.mtu), std::to_string(options.mtu)}});
  if (const std::uint64_t rate = options.link == "nic" && device != nullptr ? device->line_rate() : 0; rate > 0) {
    modes.push_back({"line_rate", "auto", std::to_string(rate)});                          // bit/s
    modes.push_back({"frame_overhead", "auto", std::to_string(kFrameHeaders + kOnWire)});  // bytes
  }
  return modes;
}

Counters DpdkPort::counters() const {
  Counters counters = {{"frames_sent", count_.sent},          {"frames_received", count_.received},
                       {"tx_bursts", count_.tx_bursts},       {"rx_bursts", count_.rx_bursts},
                       {"empty_polls", count_.empty_polls},   {"wakeup_calls", count_.wakeup_calls},
                       {"tx_ring_full", count_.tx_ring_full}, {"tx_no_mbufs", count_.no_mbufs},
                       {"rx_foreign", count_.foreign},        {"rx_segmented", count_.segmented}};
  for (std::size_t at = 0; at < devices_.size(); ++at) {
    counters["rx_dropped"] += devices_[at].dropped();
    counters["rx_no_mbufs"] += devices_[at].without_mbuf();
  }
  return counters;
}

}  // namespace waggle::packet::dpdk
