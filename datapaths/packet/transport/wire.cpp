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
  const auto type = load<std::uint8_t>(at + 5);
  const Header header{static_cast<Type>(type),     load<std::uint8_t>(at + 28),  load<std::uint16_t>(at + 6),
                      load<std::uint64_t>(at + 8), load<std::uint64_t>(at + 16), load<std::uint32_t>(at + 24)};
  const bool fits = load<std::uint8_t>(at + 4) == kVersion && type >= static_cast<std::uint8_t>(Type::hello) &&
                    type <= static_cast<std::uint8_t>(Type::close) && header.length == packet.size() &&
                    header.lag <= header.number;
  return fits ? std::optional(header) : std::nullopt;
}

bool intact(ByteView packet) {
  return load<std::uint32_t>(packet.data()) == crc32c(0, packet.subspan(4));
}

void write_header(std::byte* packet, const Header& header) {
  store(packet + 4, kVersion);
  store(packet + 5, static_cast<std::uint8_t>(header.type));
  store(packet + 6, header.length);
  store(packet + 8, header.connection);
  store(packet + 16, header.number);
  store(packet + 24, header.lag);
  store(packet + 28, static_cast<std::uint32_t>(header.flags) << 24);
}

void seal(ByteSpan packet) {
  seal_with(packet.data(), crc32c(0, packet.subspan(4)));
}

void seal_with(std::byte* packet, std::uint32_t crc) {
  store(packet, crc);
}

std::size_t write_ack(ByteSpan to, const AckBlock& ack) {
  if (to.size() < kAckBlock) {
    return 0;
  }
  const auto count = std::min<std::size_t>(ack.count, (to.size() - kAckBlock) / 8);
  std::byte* at = to.data();
  store(at, ack.floor);
  store(at + 8, ack.largest);
  store(at + 16, ack.packet_limit);
  store(at + 24, ack.message_limit);
  store(at + 32, ack.delay);
  store(at + 36, static_cast<std::uint32_t>(count) << 16);
  at += kAckBlock;
  for (std::size_t i = 0; i < count; ++i, at += 8) {
    const NumberRange& range = ack.ranges[i];
    store(at, static_cast<std::uint32_t>(ack.largest - range.last));
    store(at + 4, static_cast<std::uint32_t>(range.last - range.first));
  }
  return ack_size(count);
}

std::optional<std::pair<AckBlock, std::size_t>> read_ack(ByteView from) {
  if (from.size() < kAckBlock) {
    return {};
  }
  const std::byte* at = from.data();
  AckBlock ack;
  ack.floor = load<std::uint64_t>(at);
  ack.largest = load<std::uint64_t>(at + 8);
  ack.packet_limit = load<std::uint64_t>(at + 16);
  ack.message_limit = load<std::uint64_t>(at + 24);
  ack.delay = load<std::uint32_t>(at + 32);
  ack.count = load<std::uint16_t>(at + 36);
  if (ack.count > kMostRanges || from.size() < ack_size(ack.count) || ack.floor > ack.largest + 1) {
    return {};
  }
  at += kAckBlock;
  std::uint64_t below = ack.largest + 1;
  for (std::size_t i = 0; i < ack.count; ++i, at += 8) {
    const std::uint64_t back = load<std::uint32_t>(at);
    const std::uint64_t more = load<std::uint32_t>(at + 4);
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
  store(to, terms.packet);
  store(to + 4, terms.packet_limit);
  store(to + 12, terms.message_limit);
}

Terms read_terms(const std::byte* from) {
  return {load<std::uint32_t>(from), load<std::uint64_t>(from + 4), load<std::uint64_t>(from + 12)};
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
