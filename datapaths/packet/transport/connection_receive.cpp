// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <utility>

#include "base/copy_meter.hpp"
#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {
namespace {

/// Packets that ask for an ACK before one is sent unasked: few while the sender's window may be small.
constexpr std::uint64_t kEagerNumbers = 64;
constexpr std::uint32_t kEager = 2;
constexpr std::uint32_t kPatient = 256;

}  // namespace

std::optional<Connection::Placement> Connection::on_packet(Time now, const Header& header, ByteView packet) {
  ++stats_.packets_received;
  if (header.type == Type::data) {
    return state_ == State::established || state_ == State::closing ? on_data(now, header, packet) : std::nullopt;
  }
  if (takes_control(now, header, packet) || state_ == State::connecting) {
    return {};
  }
  if (header.type == Type::message) {
    on_message(now, header, packet);
    return {};
  }
  if (received_.seen(header.number)) {
    ++stats_.duplicates;
    ack_now_ = ack_now_ || header.type != Type::ack;
    return {};
  }
  if (header.type == Type::ack) {
    const auto ack = read_ack(packet.subspan(kHeader));
    if (ack && on_ack(now, ack->first)) {
      note_received(now, header, false);
    }
    return {};
  }
  note_received(now, header, true);
  ack_now_ = true;  // PING and PROBE want to know
  return {};
}

bool Connection::takes_control(Time now, const Header& header, ByteView packet) {
  switch (header.type) {
    case Type::hello: accept_due_ = accept_due_ || (!options_.client && state_ == State::established); return true;
    case Type::retry: on_retry(now, packet); return true;
    case Type::accept:
      if (options_.client && state_ == State::connecting && packet.size() == kHeader + kTerms) {
        set_terms(now, read_terms(packet.data() + kHeader));
        note_received(now, header, false);
      }
      return true;
    case Type::close: on_close(now, packet); return true;
    default: return false;
  }
}

void Connection::note_received(Time now, const Header& header, bool elicits) {
  last_received_ = now;
  if (header.number >= received_.next()) {
    largest_at_ = now;
  }
  const bool late = header.number + 1 < received_.next();
  received_.add(header.number);
  received_.forget_below(header.number - header.lag);
  // ACKs use up numbers, too, and nothing acknowledges them: the peer must hear of its limit before it is reached.
  if (received_.next() + options_.window >= advertised_packets_ + options_.window / 2) {
    ack_now_ = true;
  }
  if (!elicits) {
    return;
  }
  ++unacknowledged_;
  const std::uint32_t most = header.number < kEagerNumbers ? kEager : kPatient;
  if ((header.flags & kSolicits) != 0 || unacknowledged_ >= most || late || received_.gap()) {
    ack_now_ = true;
  } else if (ack_at_ == kNever) {
    ack_at_ = now + kAckDelay;
  }
}

void Connection::on_message(Time now, const Header& header, ByteView packet) {
  std::size_t begin = kMessageHeader;
  if (packet.size() < begin) {
    return;
  }
  if (received_.seen(header.number)) {
    ++stats_.duplicates;
    ack_now_ = true;
    return;
  }
  if ((header.flags & kHasAck) != 0) {
    const auto ack = read_ack(packet.subspan(begin));
    if (!ack || !on_ack(now, ack->first)) {
      return;
    }
    begin += ack->second;
  }
  if (!messages_in_.insert(load_be<std::uint64_t>(packet.data() + kHeader), packet.subspan(begin))) {
    ++stats_.refused_packets;
    return;
  }
  note_received(now, header, true);
}

std::optional<Connection::Placement> Connection::on_data(Time now, const Header& header, ByteView packet) {
  if (packet.size() <= kDataHeader) {
    return {};
  }
  if (received_.seen(header.number)) [[unlikely]] {
    ++stats_.duplicates;
    ack_now_ = true;
    return {};
  }
  const DataHeader data = read_data_header(packet.data());
  const ByteView payload = packet.subspan(kDataHeader);
  if (options_.stranger) {
    ++stats_.refused_packets;
    return {};
  }
  if (!receiving_ || state_ != State::established || before(data.extent, delivered_)) {
    note_received(now, header, true);  // a copy of what was handed over already
    return {};
  }
  Inbound* extent = find(data);
  if (extent == nullptr) {
    if (data.extent - delivered_ >= kMostUnderWay || !staging_.put({data.extent, data.offset}, data.handle, payload)) {
      ++stats_.staging_full;
      return {};
    }
    note_received(now, header, true);
    return {};
  }
  const ExtentId& id = extent->incoming.id;
  const std::uint64_t length = extent->length.value_or(id.length);
  const std::uint64_t offset = data.offset - id.offset;
  if (data.handle != id.handle || data.offset < id.offset || offset > length || payload.size() > length - offset) {
    ++stats_.refused_packets;
    return {};
  }
  bool taken = true;
  const auto placement = place(*extent, offset, payload, true, taken);
  if (taken) {
    note_received(now, header, true);
  }
  return placement;
}

/// Whether one more piece may be remembered: what lies apart from all that is here is bounded, and what is filled in is
/// always welcome.
bool Connection::takes_piece(const Inbound& extent, std::uint64_t begin, std::uint64_t end) const {
  return pieces_ < kMostPieces || extent.received.empty() || extent.received.touches(begin, end);
}

void Connection::add_piece(Inbound& extent, std::uint64_t begin, std::uint64_t end) {
  pieces_ -= extent.received.size();
  extent.received.add(begin, end);
  pieces_ += extent.received.size();
}

/// Decides what becomes of payload inside an extent; `taken` is false when it must come again. What was received is not
/// placed a second time: the sender has read its file again, which may have changed, and the digest knows the first
/// bytes.
std::optional<Connection::Placement> Connection::place(Inbound& extent, std::uint64_t offset, ByteView payload,
                                                       bool may_stage, bool& taken) {
  const std::uint64_t end = offset + payload.size();
  const Incoming& incoming = extent.incoming;
  if (incoming.sink == Incoming::Sink::discard) {
    if (offset > extent.frontier) {
      // Nothing keeps these bytes, and the digest wants those before them first.
      taken = extent.received.contains(offset, end) ||
              (may_stage && takes_piece(extent, offset, end) &&
               staging_.put({*extent.sequence, incoming.id.offset + offset}, incoming.id.handle, payload));
      if (taken) {
        add_piece(extent, offset, end);
      } else {
        ++stats_.staging_full;
      }
      return {};
    }
    add_piece(extent, offset, end);
    if (end <= extent.frontier) {
      return {};
    }
    return Placement{&extent, offset, payload, end - std::exchange(extent.frontier, end)};
  }
  const auto missing = extent.received.missing(offset, end);
  if (missing.begin >= missing.end) {
    return {};
  }
  if (may_stage && !takes_piece(extent, missing.begin, missing.end)) {
    ++stats_.refused_packets;
    taken = false;
    return {};
  }
  add_piece(extent, missing.begin, missing.end);
  Placement placement{&extent, missing.begin, payload.subspan(missing.begin - offset, missing.end - missing.begin), 0,
                      payload.subspan(missing.end - offset)};
  if (missing.begin == extent.frontier) {
    placement.fresh = placement.payload.size();
    extent.frontier = missing.end;
  }
  return placement;
}

std::optional<Connection::Placement> Connection::rest_of(const Placement& placement) {
  bool taken = true;  // fills in behind what is here
  return placement.rest.empty()
             ? std::nullopt
             : place(*placement.extent, placement.offset + placement.payload.size(), placement.rest, false, taken);
}

Inbound* Connection::find(const DataHeader& data) {
  if (latest_ != nullptr && latest_->sequence == data.extent) [[likely]] {
    return latest_;
  }
  for (Inbound& extent : inbound_) {
    if (extent.sequence == data.extent) {
      return latest_ = &extent;
    }
  }
  // Not announced yet, or its announcement is late.
  if (Inbound* extent = only_one_for(data)) {
    extent->sequence = data.extent;
    return latest_ = extent;
  }
  return nullptr;
}

/// The expectation that a packet can only be meant for. With several, the announcement tells: one of them may be
/// answered by an error, and its file must not get what is meant for another.
Inbound* Connection::only_one_for(const DataHeader& data) {
  Inbound* only = nullptr;
  for (Inbound& extent : inbound_) {
    const ExtentId& id = extent.incoming.id;
    if (!extent.sequence && id.handle == data.handle && data.offset >= id.offset &&
        data.offset - id.offset < id.length) {
      if (only != nullptr) {
        return nullptr;
      }
      only = &extent;
    }
  }
  return only;
}

void Connection::expect(const Incoming& incoming) {
  if (spare_.empty()) {
    spare_.emplace_back();
  }
  inbound_.splice(inbound_.end(), spare_, spare_.begin());
  Inbound& extent = inbound_.back();
  extent.reset();
  extent.incoming = incoming;
  if (incoming.digest != nullptr) {
    extent.digest.mirror(*incoming.digest);
  }
  if (incoming.sink == Incoming::Sink::view) {
    extent.view.resize(incoming.id.length);
  }
}

void Connection::cancel(const ExtentId& id) {
  // Also one that payload has come for: its owner lets go of the digester.
  const auto found = std::ranges::find_if(inbound_.rbegin(), inbound_.rend(), [&](const Inbound& extent) {
    return !extent.length && extent.incoming.id.handle == id.handle && extent.incoming.id.offset == id.offset;
  });
  if (found != inbound_.rend()) {
    forget(std::next(found).base());
  }
}

void Connection::end_receiving() {
  receiving_ = false;
  latest_ = nullptr;
  inbound_.clear();
  spare_.clear();
  staging_.clear();
  pieces_ = 0;
}

Inbound* Connection::announced(std::uint32_t sequence, const ExtentId& id) {
  const auto fits = [&](const Inbound& extent) {
    const ExtentId& wanted = extent.incoming.id;
    return wanted.handle == id.handle && wanted.offset == id.offset && wanted.length >= id.length;
  };
  auto found = std::ranges::find(inbound_, std::optional(sequence), &Inbound::sequence);
  if (found == inbound_.end()) {
    found = std::ranges::find_if(inbound_, [&](const Inbound& extent) { return !extent.sequence && fits(extent); });
  }
  if (found == inbound_.end() || !fits(*found)) {
    return nullptr;
  }
  found->sequence = sequence;
  found->length = id.length;
  return &*found;
}

std::optional<Connection::Placement> Connection::next_staged(Inbound& extent) {
  if (staging_.empty() || !extent.sequence) {
    return {};
  }
  const ExtentId& id = extent.incoming.id;
  // Sinks that place bytes anywhere take all that is staged; the others only what continues the digest.
  const std::uint64_t up_to =
      extent.incoming.sink == Incoming::Sink::discard ? id.offset + extent.frontier : ~std::uint64_t{0};
  while (auto piece = staging_.take(*extent.sequence, up_to)) {
    const auto& [offset, held] = *piece;
    const std::uint64_t end = offset + held.bytes.size();
    if (offset < id.offset || end - id.offset > extent.length.value_or(id.length) || held.handle != id.handle) {
      continue;
    }
    piece_ = std::move(piece->second);
    bool taken = true;
    // What was staged out of order is marked as received; the frontier says whether it is still wanted.
    if (auto placement = place(extent, offset - id.offset, piece_.bytes, false, taken)) {
      return placement;
    }
  }
  return {};
}

void Connection::delivered(Inbound& extent) {
  while (staging_.take(delivered_, ~std::uint64_t{0})) {
    // Copies of what came in the end without them.
  }
  ++delivered_;
  forget(std::ranges::find_if(inbound_, [&](const Inbound& each) { return &each == &extent; }));
}

/// Nothing more comes for it: its place is for the next one, and its pieces count no more.
void Connection::forget(std::list<Inbound>::iterator extent) {
  latest_ = latest_ == &*extent ? nullptr : latest_;
  pieces_ -= extent->received.size();
  extent->reset();
  spare_.splice(spare_.begin(), inbound_, extent);
}

void Connection::consumed(Time now) {
  // A peer that waits for room must hear of it; others need not.
  // A stranger's window must always have room for the longest message.
  static_assert(kStrangerWindow - kStrangerWindow / 4 > kMaxStrangerMessage + 64);
  if (messages_in_.limit() >= advertised_ + messages_in_.window() / (options_.stranger ? 4 : 2)) {
    ack_now_ = true;
    ack_at_ = now;
  }
}

}  // namespace waggle::packet
