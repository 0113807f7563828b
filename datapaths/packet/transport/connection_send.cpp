// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {
namespace {

/// The window is asked for an ACK this many times, so that it slides before it is used up.
constexpr std::uint64_t kAcksPerWindow = 4;
constexpr std::uint32_t kMostUnsolicited = 256;
/// What a piece of the message stream may grow to even when packets are large: small losses, small copies.
constexpr std::uint32_t kMostMessagePiece = 16 * 1024;

}  // namespace

Header Connection::header(Type type, std::size_t length, std::uint8_t flags) {
  const auto [number, lag] = recovery_.number();
  return {type, flags, static_cast<std::uint16_t>(length), options_.id, number, lag};
}

SentPacket& Connection::record(Time now, SentPacket::Kind kind, std::size_t size, bool bounded) {
  ++counts_.packets_sent;
  last_sent_ = now;
  return recovery_.record(now, kind, size, bounded);
}

std::uint32_t Connection::payload_room() const {
  const auto room = static_cast<std::uint32_t>(recovery_.packet_size() - kDataHeader);
  return room < options_.alignment ? room : room - room % options_.alignment;
}

/// DATA comes back as build_data() has made it: moving what has just been written field by field costs a stalled load,
/// 30 ns a packet.
std::optional<Connection::Built> Connection::next_packet(Time now, ByteSpan room) {
  recovery_.begin_turn();
  if (state_ != State::established) [[unlikely]] {
    if (state_ == State::connecting) {
      return build_setup(now, room);
    }
    if (auto built = build_close(now, room); built || state_ == State::closed) {
      return built;
    }
  }
  if (handshake_.accept_due()) [[unlikely]] {
    return build_setup(now, room);
  }
  if (closing_.due()) [[unlikely]] {
    return build_close(now, room);
  }
  if (recovery_.exhausted()) [[unlikely]] {
    sending_.look_for_progress(now, options_.patience);
    return {};  // a peer that acknowledges nothing is not acknowledged either
  }
  recovery_.leave_out_number();
  if (recovery_.take_probe()) [[unlikely]] {
    return build_probe_timeout(now, room);
  }
  if (sending_.wants_message()) {
    if (auto built = build_message(now, room)) {
      return built;
    }
  }
  if (acknowledger_.due(now)) {
    return build_ack(now, room);
  }
  if (ping_due_) [[unlikely]] {
    ping_due_ = false;
    return build_ping(now, room);
  }
  if (recovery_.mtu_probe(now) != 0) [[unlikely]] {
    if (auto built = build_mtu_probe(now, room)) {
      return built;
    }
  }
  if (!sending_.more()) {
    sending_.look_for_progress(now, options_.patience);
    return {};
  }
  return build_data(now, room);
}

/// Header and checksum of a packet whose other bytes stand. Uses up a number, which nobody waits for.
std::optional<Connection::Built> Connection::build_control(Time now, ByteSpan room, Type type, std::size_t length) {
  const bool recorded = type == Type::ping || type == Type::probe;
  Header head = header(type, length);
  if (recorded) {
    --head.number;  // record() has taken it
    head.lag = static_cast<std::uint32_t>(head.number - std::min(head.number, recovery_.oldest()));
  }
  write_header(room.data(), head);
  seal(room.first(length));
  if (!recorded) {
    recovery_.skip();
    ++counts_.packets_sent;
    last_sent_ = now;
  }
  return Built{static_cast<std::uint32_t>(length), nullptr, 0, 0, false};
}

/// HELLO until it is answered, or ACCEPT once for each HELLO.
std::optional<Connection::Built> Connection::build_setup(Time now, ByteSpan room) {
  const auto packet = handshake_.next(now, {options_.packet, options_.window, messages_in().limit()}, room);
  return packet ? build_control(now, room, packet->type, packet->length) : std::nullopt;
}

std::optional<Connection::Built> Connection::build_close(Time now, ByteSpan room) {
  if (state_ == State::closing && !closing_.due() && sending_.messages().all_acknowledged() && recovery_.settled() &&
      !sending_.more()) {
    closing_.say(now);
  }
  if (!closing_.next(now)) {
    return {};
  }
  store_be(room.data() + kHeader, static_cast<std::uint16_t>(closing_.code()));
  store_be(room.data() + kHeader + 2, sending_.messages().written());
  if (!closing_.due() && !closing_.peer_closed()) {
    state_ = State::closed;
  }
  return build_control(now, room, Type::close, kClose);
}

/// Writes an ACK block as long as fits and returns its bytes.
std::size_t Connection::write_ack_now(Time now, ByteSpan to) {
  const std::uint64_t message_limit = messages_in().limit();
  const std::size_t size = write_ack(to, acknowledger_.block(now, message_limit));
  acknowledger_.sent(message_limit);
  return size;
}

std::optional<Connection::Built> Connection::build_ack(Time now, ByteSpan room) {
  const std::size_t most = std::min<std::size_t>(room.size(), MtuSearch::kBase);
  const std::size_t size = write_ack_now(now, room.first(most).subspan(kHeader));
  return build_control(now, room, Type::ack, kHeader + size);
}

/// Bytes that a MESSAGE packet may have now.
std::uint32_t Connection::message_room(ByteSpan room) const {
  return std::min<std::uint32_t>({recovery_.packet_size(), static_cast<std::uint32_t>(room.size()), kMostMessagePiece});
}

std::optional<Connection::Built> Connection::build_message(Time now, ByteSpan room) {
  const std::uint32_t most = message_room(room);
  if (!recovery_.may_send(now, most)) {
    return {};
  }
  // What is to be acknowledged goes along, and saves a packet of its own.
  std::size_t ack = 0;
  if (acknowledger_.pending()) {
    ack = write_ack_now(now, room.first(most).subspan(kMessageHeader, kMessageHeader + ack_size(8)));
  }
  const auto piece = sending_.take_message(static_cast<std::uint32_t>(most - kMessageHeader - ack));
  return piece ? build_message_piece(now, room, *piece, ack) : std::nullopt;
}

std::optional<Connection::Built> Connection::build_message_piece(Time now, ByteSpan room, MessagePiece piece,
                                                                 std::size_t ack) {
  const std::size_t length = kMessageHeader + ack + piece.length;
  std::byte* at = room.data();
  write_header(at, header(Type::message, length, ack > 0 ? kHasAck : std::uint8_t{0}));
  store_be(at + kHeader, piece.offset);
  sending_.messages().copy(piece, at + kMessageHeader + ack);
  seal(room.first(length));
  SentPacket& packet = record(now, SentPacket::Kind::message, length);
  packet.offset = piece.offset;
  packet.length = piece.length;
  return Built{static_cast<std::uint32_t>(length), nullptr, 0, 0, false};
}

std::optional<Connection::Built> Connection::build_data(Time now, ByteSpan room) {
  const std::uint32_t most = std::min(payload_room(), static_cast<std::uint32_t>(room.size() - kDataHeader));
  if (!recovery_.may_send(now, most + kDataHeader)) {
    sending_.look_for_progress(now, options_.patience);
    return {};
  }
  if (sending_.has_lost()) {
    return build_lost(now, room, most);
  }
  return build_data_piece(now, room, sending_.next_new(most), true);
}

std::optional<Connection::Built> Connection::build_lost(Time now, ByteSpan room, std::uint32_t most) {
  ++counts_.retransmissions;
  return build_data_piece(now, room, sending_.next_lost(most), false);
}

std::optional<Connection::Built> Connection::build_data_piece(Time now, ByteSpan room, const Sending::Piece& piece,
                                                              bool first) {
  Outbound& extent = *piece.extent;
  const std::size_t size = kDataHeader + piece.length;
  // The receiver answers at once where the sender is about to run dry, and a few times per window.
  const std::uint64_t packets = std::max<std::uint64_t>(recovery_.window() / std::max<std::size_t>(size, 1), 1);
  const bool last = !sending_.more() || recovery_.last_that_fits(size);
  const bool solicits =
      last || ++since_solicited_ >= std::clamp<std::uint64_t>(packets / kAcksPerWindow, 2, kMostUnsolicited);
  if (solicits) {
    since_solicited_ = 0;
  }
  std::byte* at = room.data();
  write_header(at, header(Type::data, size, solicits ? kSolicits : std::uint8_t{0}));
  write_data_header(at, {extent.sequence(), extent.id().handle, extent.id().offset + piece.offset});
  SentPacket& packet = record(now, SentPacket::Kind::data, size);
  packet.extent = extent.sequence();
  packet.offset = piece.offset;
  packet.length = piece.length;
  extent.on_sent();
  return Built{static_cast<std::uint32_t>(size), &extent, piece.offset, piece.length, first};
}

/// The DATA that the peer needs first: it may have no room for what lies behind it, and acknowledge none of that.
std::optional<Connection::Built> Connection::build_foremost(Time now, ByteSpan room) {
  const SentPacket* const foremost = recovery_.foremost();
  if (sending_.has_lost()) {
    const Outbound& extent = sending_.first_lost();
    if (foremost == nullptr || before(extent.sequence(), foremost->extent) ||
        (extent.sequence() == foremost->extent && extent.first_lost() < foremost->offset)) {
      return build_lost(now, room, payload_room());
    }
  }
  return foremost != nullptr ? build_again(now, room, *foremost, 0) : std::nullopt;
}

/// What a packet carried that is under way, once more under a new number; cut anew, since what it was sent in may be
/// larger than the path takes by now. `most`: bytes that a MESSAGE may have.
std::optional<Connection::Built> Connection::build_again(Time now, ByteSpan room, const SentPacket& packet,
                                                         std::uint32_t most) {
  if (packet.kind == SentPacket::Kind::message) {
    ++counts_.retransmissions;
    const auto length = std::min(packet.length, most - std::uint32_t{kMessageHeader});
    return build_message_piece(now, room, {packet.offset, length}, 0);
  }
  Outbound* const extent = packet.kind == SentPacket::Kind::data ? sending_.find(packet.extent) : nullptr;
  if (extent == nullptr) {
    return {};
  }
  ++counts_.retransmissions;
  const Sending::Piece piece{extent, packet.offset, std::min(packet.length, payload_room())};
  return build_data_piece(now, room, piece, false);
}

/// What the window holds back, or else what is oldest once more under a new number; its first copy is not lost yet (RFC
/// 9002, 6.2.4). The second of two probes brings what the peer needs first. A receiver whose staging is full takes no
/// payload before its announcement or out of order, and what it does not take fills the window.
std::optional<Connection::Built> Connection::build_probe_timeout(Time now, ByteSpan room) {
  const std::uint32_t most = message_room(room);
  if (const auto piece = sending_.take_message(most - std::uint32_t{kMessageHeader})) {
    return build_message_piece(now, room, *piece, 0);
  }
  if (recovery_.second_probe()) {
    if (auto built = build_foremost(now, room)) {
      return built;
    }
  }
  if (sending_.has_lost()) {
    return build_lost(now, room, payload_room());
  }
  for (std::uint64_t number = recovery_.first_open(); number < recovery_.next(); ++number) {
    // A copy: the ring of packets may grow.
    const SentPacket packet = recovery_.packet(number);
    if (packet.state == SentPacket::State::under_way) {
      if (auto built = build_again(now, room, packet, most)) {
        return built;
      }
    }
  }
  return build_ping(now, room);
}

/// As large as the CLOSE with which somebody answers who does not know the connection.
std::optional<Connection::Built> Connection::build_ping(Time now, ByteSpan room) {
  record(now, SentPacket::Kind::control, kClose, false);
  std::fill_n(room.data() + kHeader, kClose - kHeader, std::byte{0});
  return build_control(now, room, Type::ping, kClose);
}

std::optional<Connection::Built> Connection::build_mtu_probe(Time now, ByteSpan room) {
  // One packet beyond the window, at times larger than it. It consumes window and credit of the pacer as any packet
  // does (RFC 9000, 14.4), but no more than the largest of the others: payload must not wait for the fate of a probe.
  const std::uint32_t size = recovery_.mtu_probe(now);
  if (size > room.size() || !recovery_.may_probe_mtu()) {
    return {};
  }
  std::fill_n(room.data() + kHeader, size - kHeader, std::byte{0});
  ++counts_.packets_sent;
  last_sent_ = now;
  recovery_.record_mtu_probe(now, size);
  return build_control(now, room, Type::probe, size);
}

}  // namespace waggle::packet
