// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/frame.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bit>
#include <cstring>

namespace waggle::packet {
namespace {

struct Headers {
  ethhdr ethernet;
  iphdr ip;
  udphdr udp;
} __attribute__((packed));
static_assert(sizeof(Headers) == kFrameHeaders);

constexpr std::uint8_t kVersionAndLength = 0x45;  // IPv4, five words of header
constexpr std::uint8_t kHops = 64;
constexpr std::uint16_t kDontFragment = 0x4000;

std::uint16_t fold(std::uint64_t sum) {
  while ((sum >> 16) != 0) {
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

/// One's complement sum of 16-bit words as they stand in memory: the order of bytes does not matter to it (RFC 1071).
std::uint64_t sum_of(ByteView bytes, std::uint64_t sum) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; at += 4, left -= 4) {
    std::uint32_t word;
    std::memcpy(&word, at, 4);
    sum += word;
  }
  std::uint32_t rest = 0;
  std::memcpy(&rest, at, left);
  return sum + rest;
}

std::uint16_t udp_checksum(const Headers& headers, const std::byte* packet, std::uint32_t length) {
  std::uint64_t sum = 0;
  sum = sum_of({reinterpret_cast<const std::byte*>(&headers.ip.saddr), 8}, sum);
  sum += htons(IPPROTO_UDP);
  sum += headers.udp.len;
  sum = sum_of({reinterpret_cast<const std::byte*>(&headers.udp), sizeof headers.udp}, sum);
  const auto checksum = static_cast<std::uint16_t>(~fold(sum_of({packet, length}, sum)));
  return checksum == 0 ? 0xFFFF : checksum;  // zero would mean none
}

}  // namespace

std::uint16_t internet_checksum(ByteView bytes, std::uint64_t before) {
  return static_cast<std::uint16_t>(~fold(sum_of(bytes, before)));
}

void write_headers(std::byte* packet, std::uint32_t length, const Station& from, const Peer& to, UdpChecksum checksum) {
  Headers headers{};
  std::memcpy(headers.ethernet.h_dest, to.mac.data(), ETH_ALEN);
  std::memcpy(headers.ethernet.h_source, from.mac.data(), ETH_ALEN);
  headers.ethernet.h_proto = htons(ETH_P_IP);
  const auto udp_length = static_cast<std::uint16_t>(length + sizeof(udphdr));
  std::memcpy(&headers.ip, &kVersionAndLength, 1);
  headers.ip.tot_len = htons(static_cast<std::uint16_t>(udp_length + sizeof(iphdr)));
  headers.ip.frag_off = htons(kDontFragment);
  headers.ip.ttl = kHops;
  headers.ip.protocol = IPPROTO_UDP;
  headers.ip.saddr = htonl(from.ip);
  headers.ip.daddr = htonl(to.ip);
  headers.ip.check = internet_checksum({reinterpret_cast<const std::byte*>(&headers.ip), sizeof headers.ip});
  headers.udp.source = htons(from.port);
  headers.udp.dest = htons(to.port);
  headers.udp.len = htons(udp_length);
  if (checksum == UdpChecksum::computed) {
    headers.udp.check = udp_checksum(headers, packet, length);
  }
  std::memcpy(packet - sizeof headers, &headers, sizeof headers);
}

std::optional<Parsed> parse_frame(ByteSpan frame, const Station& at) {
  Headers headers;
  if (frame.size() < sizeof headers) {
    return std::nullopt;
  }
  std::memcpy(&headers, frame.data(), sizeof headers);
  std::uint8_t version_and_length;
  std::memcpy(&version_and_length, &headers.ip, 1);
  const std::size_t total = ntohs(headers.ip.tot_len);
  const std::size_t udp_length = ntohs(headers.udp.len);
  const bool ours = headers.ethernet.h_proto == htons(ETH_P_IP) && version_and_length == kVersionAndLength &&
                    headers.ip.protocol == IPPROTO_UDP && ntohl(headers.ip.daddr) == at.ip &&
                    ntohs(headers.udp.dest) == at.port;
  const bool whole = (ntohs(headers.ip.frag_off) & 0x3FFF) == 0 && udp_length >= sizeof(udphdr) &&
                     total == udp_length + sizeof(iphdr) && total + sizeof(ethhdr) <= frame.size();
  if (!ours || !whole || internet_checksum({reinterpret_cast<const std::byte*>(&headers.ip), sizeof headers.ip}) != 0) {
    return std::nullopt;
  }
  Parsed parsed{frame.data() + sizeof headers, static_cast<std::uint32_t>(udp_length - sizeof(udphdr)), {}};
  parsed.from.ip = ntohl(headers.ip.saddr);
  parsed.from.port = ntohs(headers.udp.source);
  std::memcpy(parsed.from.mac.data(), headers.ethernet.h_source, ETH_ALEN);
  return parsed;
}

}  // namespace waggle::packet
