// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/wire.hpp"

#include <algorithm>

#include "datapaths/packet/transport/crc32c.hpp"

namespace waggle::packet {

std::optional<Header> read_header(ByteView packet) {
  if (packet.size() < kHeader) {
    return {};
  }
  const std::byte* at = packet.data();
  const auto type = load_be<std::uint8_t>(at + 5);
  const Header header{static_cast<Type>(type),        load_be<std::uint8_t>(at + 28),  load_be<std::uint16_t>(at + 6),
                      load_be<std::uint64_t>(at + 8), load_be<std::uint64_t>(at + 16), load_be<std::uint32_t>(at + 24)};
  const bool fits = load_be<std::uint8_t>(at + 4) == kVersion && type >= static_cast<std::uint8_t>(Type::hello) &&
                    type <= static_cast<std::uint8_t>(Type::close) && header.length == packet.size() &&
                    header.lag <= header.number;
  return fits ? std::optional(header) : std::nullopt;
}

bool intact(ByteView packet) {
  return load_be<std::uint32_t>(packet.data()) == crc32c(0, packet.subspan(4));
}

void write_header(std::byte* packet, const Header& header) {
  store_be(packet + 4, kVersion);
  store_be(packet + 5, static_cast<std::uint8_t>(header.type));
  store_be(packet + 6, header.length);
  store_be(packet + 8, header.connection);
  store_be(packet + 16, header.number);
  store_be(packet + 24, header.lag);
  store_be(packet + 28, static_cast<std::uint32_t>(header.flags) << 24);
}

void seal(ByteSpan packet) {
  seal_with(packet.data(), crc32c(0, packet.subspan(4)));
}

void seal_with(std::byte* packet, std::uint32_t crc) {
  store_be(packet, crc);
}

std::size_t write_ack(ByteSpan to, const AckBlock& ack) {
  if (to.size() < kAckBlock) {
    return 0;
  }
  const auto count = std::min<std::size_t>(ack.count, (to.size() - kAckBlock) / 8);
  std::byte* at = to.data();
  store_be(at, ack.floor);
  store_be(at + 8, ack.largest);
  store_be(at + 16, ack.packet_limit);
  store_be(at + 24, ack.message_limit);
  store_be(at + 32, ack.delay);
  store_be(at + 36, static_cast<std::uint32_t>(count) << 16);
  at += kAckBlock;
  for (std::size_t i = 0; i < count; ++i, at += 8) {
    const NumberRange& range = ack.ranges[i];
    store_be(at, static_cast<std::uint32_t>(ack.largest - range.last));
    store_be(at + 4, static_cast<std::uint32_t>(range.last - range.first));
  }
  return ack_size(count);
}

std::optional<std::pair<AckBlock, std::size_t>> read_ack(ByteView from) {
  if (from.size() < kAckBlock) {
    return {};
  }
  const std::byte* at = from.data();
  AckBlock ack;
  ack.floor = load_be<std::uint64_t>(at);
  ack.largest = load_be<std::uint64_t>(at + 8);
  ack.packet_limit = load_be<std::uint64_t>(at + 16);
  ack.message_limit = load_be<std::uint64_t>(at + 24);
  ack.delay = load_be<std::uint32_t>(at + 32);
  ack.count = load_be<std::uint16_t>(at + 36);
  if (ack.count > kMostRanges || from.size() < ack_size(ack.count) || ack.floor > ack.largest + 1) {
    return {};
  }
  at += kAckBlock;
  std::uint64_t below = ack.largest + 1;
  for (std::size_t i = 0; i < ack.count; ++i, at += 8) {
    const std::uint64_t back = load_be<std::uint32_t>(at);
    const std::uint64_t more = load_be<std::uint32_t>(at + 4);
    // Largest first, apart from each other, and above the floor.
    if (back > ack.largest || ack.largest - back >= below || more > ack.largest - back ||
        ack.largest - back - more < ack.floor) {
      return {};
    }
    ack.ranges[i] = {ack.largest - back - more, ack.largest - back};
    below = ack.ranges[i].first;
  }
  return std::pair(ack, ack_size(ack.count));
}

void write_terms(std::byte* to, const Terms& terms) {
  store_be(to, terms.packet);
  store_be(to + 4, terms.packet_limit);
  store_be(to + 12, terms.message_limit);
}

Terms read_terms(const std::byte* from) {
  return {load_be<std::uint32_t>(from), load_be<std::uint64_t>(from + 4), load_be<std::uint64_t>(from + 12)};
}

std::string_view describe(CloseCode code) {
  switch (code) {
    case CloseCode::done: return "the peer has closed the connection";
    case CloseCode::unknown_connection: return "the peer does not know this connection; it was restarted or gave up";
    case CloseCode::version: return "the peer speaks another version of the transport";
    case CloseCode::busy: return "the server takes no more connections";
    case CloseCode::protocol: return "the peer says that a packet broke the protocol";
    case CloseCode::failed: return "the peer has failed";
    case CloseCode::timeout: return "the peer has waited too long for progress";
  }
  return "the peer has closed the connection for a reason that is unknown here";
}

}  // namespace waggle::packet
