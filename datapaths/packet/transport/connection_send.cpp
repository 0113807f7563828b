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
/// Numbers within which one is left out, at last.
constexpr std::uint64_t kMostSkipWithin = 1U << 16U;

}  // namespace

Header Connection::header(Type type, std::size_t length, std::uint8_t flags) {
  // Numbers that are no longer under discussion lag behind the oldest one that is.
  const std::uint64_t number = sent_.next();
  told_ = std::max(told_, sent_.oldest());
  return {type,        flags,  static_cast<std::uint16_t>(length),
          options_.id, number, static_cast<std::uint32_t>(number - sent_.oldest())};
}

SentPacket& Connection::record(Time now, SentPacket::Kind kind, std::size_t size, bool bounded) {
  SentPacket& packet = sent_.add();
  packet.state = SentPacket::State::under_way;
  packet.kind = kind;
  packet.size = static_cast<std::uint16_t>(size);
  packet.sent_at = now;
  in_flight_ += size;
  ++under_way_;
  ++stats_.packets_sent;
  last_elicited_ = now;
  last_sent_ = now;
  if (bounded) {
    pacer_.spend(size);
  }
  return packet;
}

bool Connection::window_open(Time now, std::size_t bytes) {
  if (sent_.next() >= packet_limit_ || sent_.full()) {
    ++stats_.peer_limited;
    return false;
  }
  if (in_flight_ + bytes > window_) {
    ++stats_.window_limited;
    limited_until_ = sent_.next();
    return false;
  }
  if (!pacer_.allows(now)) {
    ++stats_.pacing_limited;
    limited_until_ = sent_.next();
    pace_at_ = pacer_.next(now);
    return false;
  }
  return true;
}

/// Leaves a number out now and then, at places that nobody can guess: whoever acknowledges it acknowledges what has not
/// come (RFC 9000, 21.4).
void Connection::leave_out_number() {
  if (skip_at_ != 0) {
    left_out_ = sent_.skip();
  }
  // splitmix64 (Steele et al., 2014)
  std::uint64_t random = options_.seed += 0x9E3779B97F4A7C15U;
  random = (random ^ random >> 30U) * 0xBF58476D1CE4E5B9U;
  random = (random ^ random >> 27U) * 0x94D049BB133111EBU;
  random ^= random >> 31U;
  skip_at_ = sent_.next() + 1 + random % skip_within_;
  skip_within_ = std::min(2 * skip_within_, kMostSkipWithin);
}

std::uint32_t Connection::payload_room() const {
  const auto room = static_cast<std::uint32_t>(mtu_.packet() - kDataHeader);
  return room < options_.alignment ? room : room - room % options_.alignment;
}

/// DATA comes back as build_data() has made it: moving what has just been written field by field costs a stalled load,
/// 30 ns a packet.
std::optional<Connection::Built> Connection::next_packet(Time now, ByteSpan room) {
  pace_at_ = kNever;
  if (state_ != State::established) [[unlikely]] {
    if (state_ == State::connecting) {
      return build_setup(now, room);
    }
    if (auto built = build_close(now, room); built || state_ == State::closed) {
      return built;
    }
  }
  if (accept_due_) [[unlikely]] {
    return build_setup(now, room);
  }
  if (close_due_) [[unlikely]] {
    return build_close(now, room);
  }
  if (sent_.exhausted()) [[unlikely]] {
    watch_progress(now);
    return {};  // a peer that acknowledges nothing is not acknowledged either
  }
  if (sent_.next() >= skip_at_) [[unlikely]] {
    leave_out_number();
  }
  if (probes_ > 0) [[unlikely]] {
    --probes_;
    return build_probe_timeout(now, room);
  }
  if (messages_out_.wants(message_limit_)) {
    if (auto built = build_message(now, room)) {
      return built;
    }
  }
  if (ack_now_ || ack_at_ <= now) {
    return build_ack(now, room);
  }
  if (ping_due_) [[unlikely]] {
    ping_due_ = false;
    return build_ping(now, room);
  }
  if (mtu_.probe(now) != 0) [[unlikely]] {
    if (auto built = build_mtu_probe(now, room)) {
      return built;
    }
  }
  if (!more_data()) {
    watch_progress(now);
    return {};
  }
  return build_data(now, room);
}

/// HELLO until it is answered, or ACCEPT once for each HELLO.
std::optional<Connection::Built> Connection::build_setup(Time now, ByteSpan room) {
  std::byte* at = room.data();
  const Terms terms{options_.packet, options_.window, messages_in_.limit()};
  if (accept_due_) {
    accept_due_ = false;
    write_terms(at + kHeader, terms);
    return build_control(now, room, Type::accept, kHeader + kTerms);
  }
  if (now < hello_at_) {
    return {};
  }
  hello_at_ = now + hello_wait_;
  hello_wait_ = std::min<Time>(2 * hello_wait_, 1'000'000'000);
  // Padded, so that the server never sends more than it has received before the address is proven (RFC 9000, 8.1).
  std::fill_n(at + kHeader, MtuSearch::kBase - kHeader, std::byte{0});
  write_terms(at + kHeader, terms);
  store_be(at + kHeader + kTerms, static_cast<std::uint16_t>(has_token_ ? token_.size() : 0));
  if (has_token_) {
    std::ranges::copy(token_, at + kHeader + kTerms + 2);
  }
  return build_control(now, room, Type::hello, MtuSearch::kBase);
}

/// Header and checksum of a packet whose other bytes stand. Uses up a number, which nobody waits for.
std::optional<Connection::Built> Connection::build_control(Time now, ByteSpan room, Type type, std::size_t length) {
  const bool recorded = type == Type::ping || type == Type::probe;
  Header head = header(type, length);
  if (recorded) {
    --head.number;  // record() has taken it
    head.lag = static_cast<std::uint32_t>(head.number - std::min(head.number, sent_.oldest()));
  }
  write_header(room.data(), head);
  seal(room.first(length));
  if (!recorded) {
    sent_.skip();
    ++stats_.packets_sent;
    last_sent_ = now;
  }
  return Built{static_cast<std::uint32_t>(length), nullptr, 0, 0, false};
}

AckBlock Connection::ack_block(Time now) const {
  AckBlock ack;
  received_.describe(ack);
  ack.packet_limit = received_.next() + options_.window;
  ack.message_limit = messages_in_.limit();
  ack.delay = static_cast<std::uint32_t>(std::min<Time>((now - std::min(now, largest_at_)) / 1000, UINT32_MAX));
  return ack;
}

void Connection::acked(Time) {
  ++stats_.acks_sent;
  unacknowledged_ = 0;
  ack_now_ = false;
  ack_at_ = kNever;
  advertised_ = messages_in_.limit();
  advertised_packets_ = received_.next() + options_.window;
}

std::optional<Connection::Built> Connection::build_ack(Time now, ByteSpan room) {
  const std::size_t most = std::min<std::size_t>(room.size(), MtuSearch::kBase);
  const std::size_t size = write_ack(room.first(most).subspan(kHeader), ack_block(now));
  acked(now);
  return build_control(now, room, Type::ack, kHeader + size);
}

/// Bytes that a MESSAGE packet may have now.
std::uint32_t Connection::message_room(ByteSpan room) const {
  return std::min<std::uint32_t>({mtu_.packet(), static_cast<std::uint32_t>(room.size()), kMostMessagePiece});
}

std::optional<Connection::Built> Connection::build_message(Time now, ByteSpan room) {
  const std::uint32_t most = message_room(room);
  if (!window_open(now, most)) {
    return {};
  }
  // What is to be acknowledged goes along, and saves a packet of its own.
  std::size_t ack = 0;
  if (unacknowledged_ > 0 || ack_now_) {
    ack = write_ack(room.first(most).subspan(kMessageHeader, kMessageHeader + ack_size(8)), ack_block(now));
    acked(now);
  }
  const auto piece = messages_out_.take(static_cast<std::uint32_t>(most - kMessageHeader - ack), message_limit_);
  return piece ? build_message_piece(now, room, *piece, ack) : std::nullopt;
}

std::optional<Connection::Built> Connection::build_message_piece(Time now, ByteSpan room, MessagePiece piece,
                                                                 std::size_t ack) {
  const std::size_t length = kMessageHeader + ack + piece.length;
  std::byte* at = room.data();
  write_header(at, header(Type::message, length, ack > 0 ? kHasAck : std::uint8_t{0}));
  store_be(at + kHeader, piece.offset);
  messages_out_.copy(piece, at + kMessageHeader + ack);
  seal(room.first(length));
  SentPacket& packet = record(now, SentPacket::Kind::message, length);
  packet.offset = piece.offset;
  packet.length = piece.length;
  return Built{static_cast<std::uint32_t>(length), nullptr, 0, 0, false};
}

std::optional<Connection::Built> Connection::build_data(Time now, ByteSpan room) {
  const std::uint32_t most = std::min(payload_room(), static_cast<std::uint32_t>(room.size() - kDataHeader));
  if (!window_open(now, most + kDataHeader)) {
    watch_progress(now);
    return {};
  }
  if (lost_extents_ > 0) {
    return build_lost(now, room, most);
  }
  Outbound& extent = outbound_[cursor_ - first_outbound_];
  const std::uint64_t offset = extent.next;
  const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, extent.id.length - offset));
  extent.next += length;
  if (extent.sent()) {
    while (cursor_ != next_outbound_ && outbound_[cursor_ - first_outbound_].sent()) {
      ++cursor_;
    }
  }
  return build_data_piece(now, room, extent, offset, length, true);
}

/// The first extent with bytes to send again; there is one.
Outbound& Connection::first_lost() {
  first_lost_ = before(first_lost_, first_outbound_) ? first_outbound_ : first_lost_;
  while (outbound(first_lost_)->lost.empty()) {
    ++first_lost_;
  }
  return *outbound(first_lost_);
}

std::optional<Connection::Built> Connection::build_lost(Time now, ByteSpan room, std::uint32_t most) {
  Outbound& extent = first_lost();
  const auto range = extent.lost.ranges().front();
  const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, range.end - range.begin));
  extent.lost.drop_below(range.begin + length);
  lost_extents_ -= extent.lost.empty() ? 1 : 0;
  ++stats_.retransmissions;
  return build_data_piece(now, room, extent, range.begin, length, false);
}

/// The DATA that the peer needs first: it may have no room for what lies behind it, and acknowledge none of that.
std::optional<Connection::Built> Connection::build_foremost(Time now, ByteSpan room) {
  const SentPacket* foremost = nullptr;
  for (std::uint64_t number = std::max(open_, sent_.oldest()); number < sent_.next(); ++number) {
    const SentPacket& packet = sent_[number];
    if (packet.state == SentPacket::State::under_way && packet.kind == SentPacket::Kind::data &&
        (foremost == nullptr || before(packet.extent, foremost->extent) ||
         (packet.extent == foremost->extent && packet.offset < foremost->offset))) {
      foremost = &packet;
    }
  }
  if (lost_extents_ > 0) {
    const Outbound& extent = first_lost();
    if (foremost == nullptr || before(extent.sequence, foremost->extent) ||
        (extent.sequence == foremost->extent && extent.lost.ranges().front().begin < foremost->offset)) {
      return build_lost(now, room, payload_room());
    }
  }
  Outbound* const extent = foremost != nullptr ? outbound(foremost->extent) : nullptr;
  if (extent == nullptr) {
    return {};
  }
  ++stats_.retransmissions;
  return build_data_piece(now, room, *extent, foremost->offset, std::min(foremost->length, payload_room()), false);
}

std::optional<Connection::Built> Connection::build_data_piece(Time now, ByteSpan room, Outbound& extent,
                                                              std::uint64_t offset, std::uint32_t length, bool first) {
  const std::size_t size = kDataHeader + length;
  // The receiver answers at once where the sender is about to run dry, and a few times per window.
  const std::uint64_t packets = std::max<std::uint64_t>(window_ / std::max<std::size_t>(size, 1), 1);
  const bool last = !more_data() || in_flight_ + 2 * size > window_ || sent_.next() + 1 >= packet_limit_;
  const bool solicits =
      last || ++since_solicited_ >= std::clamp<std::uint64_t>(packets / kAcksPerWindow, 2, kMostUnsolicited);
  if (solicits) {
    since_solicited_ = 0;
  }
  std::byte* at = room.data();
  write_header(at, header(Type::data, size, solicits ? kSolicits : std::uint8_t{0}));
  write_data_header(at, {extent.sequence, extent.id.handle, extent.id.offset + offset});
  SentPacket& packet = record(now, SentPacket::Kind::data, size);
  packet.extent = extent.sequence;
  packet.offset = offset;
  packet.length = length;
  ++extent.under_way;
  return Built{static_cast<std::uint32_t>(size), &extent, offset, length, first};
}

/// What the window holds back, or else what is oldest once more under a new number; its first copy is not lost yet (RFC
/// 9002, 6.2.4). The second of two probes brings what the peer needs first. A receiver whose staging is full takes no
/// payload before its announcement or out of order, and what it does not take fills the window.
std::optional<Connection::Built> Connection::build_probe_timeout(Time now, ByteSpan room) {
  const std::uint32_t most = message_room(room);
  if (const auto piece = messages_out_.take(most - std::uint32_t{kMessageHeader}, message_limit_)) {
    return build_message_piece(now, room, *piece, 0);
  }
  if (timeouts_ > 1 && probes_ == 0) {
    if (auto built = build_foremost(now, room)) {
      return built;
    }
  }
  if (lost_extents_ > 0) {
    return build_lost(now, room, payload_room());
  }
  for (std::uint64_t number = std::max(open_, sent_.oldest()); number < sent_.next(); ++number) {
    const SentPacket packet = sent_[number];
    if (packet.state != SentPacket::State::under_way) {
      continue;
    }
    if (packet.kind == SentPacket::Kind::message) {
      // Cut anew: what it was sent in may be larger than the path takes by now.
      const auto length = std::min(packet.length, most - std::uint32_t{kMessageHeader});
      ++stats_.retransmissions;
      return build_message_piece(now, room, {packet.offset, length}, 0);
    }
    Outbound* extent = packet.kind == SentPacket::Kind::data ? outbound(packet.extent) : nullptr;
    if (extent != nullptr) {
      const auto length = std::min(packet.length, payload_room());
      ++stats_.retransmissions;
      return build_data_piece(now, room, *extent, packet.offset, length, false);
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
  const std::uint32_t size = mtu_.probe(now);
  if (size > room.size() || !may_probe()) {
    return {};
  }
  ++stats_.mtu_probes;
  std::fill_n(room.data() + kHeader, size - kHeader, std::byte{0});
  record(now, SentPacket::Kind::probe, mtu_.packet()).length = size;
  ++probing_;
  mtu_.on_sent(now);
  return build_control(now, room, Type::probe, size);
}

}  // namespace waggle::packet
