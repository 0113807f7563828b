// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "datapaths/packet/frame.hpp"
#include "datapaths/packet/route.hpp"

/// Address resolution (RFC 826, Ethernet and IPv4 only) where the kernel does not see the frames: we ask and answer
/// ourselves.
namespace waggle::packet::dpdk {

/// Bytes of a frame that asks or answers.
inline constexpr std::size_t kArpFrame = 14 + 28;
using ArpFrame = std::array<std::byte, kArpFrame>;

/// What somebody has said of an address.
struct ArpNews {
  std::uint32_t ip = 0;  ///< host byte order
  MacAddress mac{};
  bool asks_us = false;  ///< and wants to know our Ethernet address
};

/// "Who has `wanted`? Tell `here`."
ArpFrame arp_question(const Station& here, std::uint32_t wanted);
/// "`here` is at …", to whom asked.
ArpFrame arp_answer(const Station& here, const ArpNews& asked);
/// Nothing when the frame is no such question or answer.
std::optional<ArpNews> read_arp(ByteView frame, const Station& here);

}  // namespace waggle::packet::dpdk
