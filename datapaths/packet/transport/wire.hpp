// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_order.hpp"
#include "base/bytes.hpp"

/// The packets of the transport as docs/transport.md lays them down; all numbers in network byte order.
namespace waggle::packet {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kHeader = 32;  ///< bytes of the header that all packets share
/// Bytes before the payload of a DATA packet. Ports place frames such that `packet` + kDataHeader is aligned to 64
/// bytes, or to 512 where they state `direct`.
inline constexpr std::size_t kDataHeader = 48;
inline constexpr std::size_t kMessageHeader = 40;    ///< before the bytes of a MESSAGE packet, or its ACK block
inline constexpr std::size_t kClose = kHeader + 10;  ///< bytes of a CLOSE packet, and of a PING
inline constexpr std::size_t kMostRanges = 32;       ///< in an ACK block
inline constexpr std::size_t kAckBlock = 40;         ///< bytes of an ACK block without its ranges

enum class Type : std::uint8_t { hello = 1, retry, accept, data, message, ack, ping, probe, close };

/// Asks for an ACK at once: the sender is about to stop.
inline constexpr std::uint8_t kSolicits = 1;
/// An ACK block stands before a MESSAGE's bytes.
inline constexpr std::uint8_t kHasAck = 2;

struct Header {
  Type type = Type::ping;
  std::uint8_t flags = 0;
  std::uint16_t length = 0;      ///< bytes of the whole packet
  std::uint64_t connection = 0;  ///< chosen by the client
  std::uint64_t number = 0;      ///< strictly increasing per direction, never used again
  std::uint32_t lag = 0;         ///< `number` minus the oldest number whose acknowledgement still matters to the sender
};

/// Where the payload of a DATA packet belongs.
struct DataHeader {
  std::uint32_t extent = 0;  ///< which announced extent, counted from 0 in each direction (modulo 2^32)
  std::uint32_t handle = 0;
  std::uint64_t offset = 0;  ///< bytes from the start of the file
};

/// Whether extent `a` was announced before `b`; they count modulo 2^32.
constexpr bool before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

/// Packet numbers [first, last].
struct NumberRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct AckBlock {
  std::uint64_t floor = 0;          ///< every number below was received, or was given up by its sender
  std::uint64_t largest = 0;        ///< largest number received
  std::uint64_t packet_limit = 0;   ///< numbers below this may be sent
  std::uint64_t message_limit = 0;  ///< bytes of the message stream that may be sent, from its beginning
  std::uint32_t delay = 0;          ///< microseconds between receiving `largest` and sending this
  std::uint16_t count = 0;
  std::array<NumberRange, kMostRanges> ranges;  ///< received above the floor, largest first
};

/// What both ends tell each other when a connection begins.
struct Terms {
  std::uint32_t packet = 0;  ///< bytes of the largest packet that can be received
  std::uint64_t packet_limit = 0;
  std::uint64_t message_limit = 0;
};

enum class CloseCode : std::uint16_t {
  done = 0,
  unknown_connection = 1,
  version = 2,
  busy = 3,
  protocol = 4,
  failed = 5,
  timeout = 6
};

/// The header of a packet, if it is one: version, type and length fit. The checksum is not looked at.
std::optional<Header> read_header(ByteView packet);
/// Whether the CRC32C at the front is that of the rest.
bool intact(ByteView packet);
/// Writes everything but the checksum.
void write_header(std::byte* packet, const Header& header);
/// Writes the checksum over a packet whose bytes are all there.
void seal(ByteSpan packet);
/// The same when `crc` is already that of everything from byte 4 on.
void seal_with(std::byte* packet, std::uint32_t crc);

inline DataHeader read_data_header(const std::byte* packet) {
  return {load_be<std::uint32_t>(packet + 32), load_be<std::uint32_t>(packet + 36),
          load_be<std::uint64_t>(packet + 40)};
}
inline void write_data_header(std::byte* packet, const DataHeader& header) {
  store_be(packet + 32, header.extent);
  store_be(packet + 36, header.handle);
  store_be(packet + 40, header.offset);
}

/// Bytes that an ACK block takes.
constexpr std::size_t ack_size(std::size_t ranges) {
  return kAckBlock + 8 * ranges;
}
/// Writes as many ranges as fit and returns the bytes written; 0 when not even the block itself fits.
std::size_t write_ack(ByteSpan to, const AckBlock& ack);
/// The block at the front of `from` and its size; nothing when it contradicts itself.
std::optional<std::pair<AckBlock, std::size_t>> read_ack(ByteView from);

inline constexpr std::size_t kTerms = 20;
void write_terms(std::byte* to, const Terms& terms);
Terms read_terms(const std::byte* from);

std::string_view describe(CloseCode code);

}  // namespace waggle::packet
