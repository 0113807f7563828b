// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/arp.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>

#include <cstring>

namespace waggle::packet::dpdk {
namespace {

struct Layout {
  ethhdr ethernet;
  std::uint16_t hardware;
  std::uint16_t protocol;
  std::uint8_t hardware_length;
  std::uint8_t protocol_length;
  std::uint16_t operation;
  std::uint8_t sender_mac[6];
  std::uint32_t sender_ip;
  std::uint8_t target_mac[6];
  std::uint32_t target_ip;
} __attribute__((packed));
static_assert(sizeof(Layout) == kArpFrame);

constexpr MacAddress kEverybody = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

ArpFrame write(const Station& here, std::uint16_t operation, const MacAddress& to, const MacAddress& target_mac,
               std::uint32_t target_ip) {
  Layout layout{};
  std::memcpy(layout.ethernet.h_dest, to.data(), to.size());
  std::memcpy(layout.ethernet.h_source, here.mac.data(), here.mac.size());
  layout.ethernet.h_proto = htons(ETH_P_ARP);
  layout.hardware = htons(ARPHRD_ETHER);
  layout.protocol = htons(ETH_P_IP);
  layout.hardware_length = 6;
  layout.protocol_length = 4;
  layout.operation = htons(operation);
  std::memcpy(layout.sender_mac, here.mac.data(), here.mac.size());
  layout.sender_ip = htonl(here.ip);
  std::memcpy(layout.target_mac, target_mac.data(), target_mac.size());
  layout.target_ip = htonl(target_ip);
  ArpFrame frame;
  std::memcpy(frame.data(), &layout, sizeof layout);
  return frame;
}

}  // namespace

ArpFrame arp_question(const Station& here, std::uint32_t wanted) {
  return write(here, ARPOP_REQUEST, kEverybody, {}, wanted);
}

ArpFrame arp_answer(const Station& here, const ArpNews& asked) {
  return write(here, ARPOP_REPLY, asked.mac, asked.mac, asked.ip);
}

std::optional<ArpNews> read_arp(ByteView frame, const Station& here) {
  Layout layout;
  if (frame.size() < sizeof layout) {
    return std::nullopt;
  }
  std::memcpy(&layout, frame.data(), sizeof layout);
  const std::uint16_t operation = ntohs(layout.operation);
  if (layout.ethernet.h_proto != htons(ETH_P_ARP) || layout.hardware != htons(ARPHRD_ETHER) ||
      layout.protocol != htons(ETH_P_IP) || layout.hardware_length != 6 || layout.protocol_length != 4 ||
      (operation != ARPOP_REQUEST && operation != ARPOP_REPLY)) {
    return std::nullopt;
  }
  ArpNews news{.ip = ntohl(layout.sender_ip)};
  std::memcpy(news.mac.data(), layout.sender_mac, news.mac.size());
  news.asks_us = operation == ARPOP_REQUEST && ntohl(layout.target_ip) == here.ip;
  return news;
}

}  // namespace waggle::packet::dpdk
