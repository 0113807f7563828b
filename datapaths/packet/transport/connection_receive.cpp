// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {
namespace {

Fault fault_of(CloseCode code) {
  switch (code) {
    case CloseCode::busy: return Fault::busy;
    case CloseCode::timeout: return Fault::timeout;
    case CloseCode::version:
    case CloseCode::protocol: return Fault::protocol;
    default: return Fault::peer_gone;
  }
}

}  // namespace

Placement Connection::on_packet(Time now, const Header& header, ByteView packet) {
  ++counts_.packets_received;
  if (header.type == Type::data) {
    return state_ == State::established || state_ == State::closing ? on_data(now, header, packet) : Placement();
  }
  if (takes_control(now, header, packet) || state_ == State::connecting) {
    return {};
  }
  if (header.type == Type::message) {
    on_message(now, header, packet);
    return {};
  }
  if (acknowledger_.seen(header.number)) {
    ++counts_.duplicates;
    if (header.type != Type::ack) {
      acknowledger_.hurry();
    }
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
  acknowledger_.hurry();  // PING and PROBE want to know
  return {};
}

bool Connection::takes_control(Time now, const Header& header, ByteView packet) {
  switch (header.type) {
    case Type::hello:
      if (!options_.client && state_ == State::established) {
        handshake_.owe_accept();
      }
      return true;
    case Type::retry: on_retry(now, packet); return true;
    case Type::accept:
      if (options_.client && state_ == State::connecting && packet.size() == kHeader + kTerms) {
        establish(now, read_terms(packet.data() + kHeader));
        note_received(now, header, false);
      }
      return true;
    case Type::close: on_close(now, packet); return true;
    default: return false;
  }
}

void Connection::on_retry(Time now, ByteView packet) {
  if (options_.client && state_ == State::connecting && packet.size() == kHeader + RetryTokens::kSize) {
    handshake_.on_retry(now, packet.subspan(kHeader));
  }
}

void Connection::on_close(Time now, ByteView packet) {
  if (packet.size() < kClose) {
    return;
  }
  const auto code = static_cast<CloseCode>(load_be<std::uint16_t>(packet.data() + kHeader));
  const auto end = load_be<std::uint64_t>(packet.data() + kHeader + 2);
  if (state_ == State::closing || state_ == State::closed) {
    closing_.on_both(now, state_ == State::closing && code == CloseCode::done);
    state_ = State::closed;
    return;
  }
  if (code == CloseCode::done && state_ == State::established) {
    closing_.on_peer(now);
    if (messages_in().read() + messages_in().available() < end) {
      fail_with({Fault::peer_gone,
                 fmt::format("{} closed the connection before all it sent had arrived", dotted(peer())),
                 {}});
    }
    return;
  }
  closing_.on_answer();
  fail_with({fault_of(code), fmt::format("{}: {}", dotted(peer()), describe(code)), {}});
}

void Connection::on_message(Time now, const Header& header, ByteView packet) {
  std::size_t begin = kMessageHeader;
  if (packet.size() < begin) {
    return;
  }
  if (acknowledger_.seen(header.number)) {
    ++counts_.duplicates;
    acknowledger_.hurry();
    return;
  }
  if ((header.flags & kHasAck) != 0) {
    const auto ack = read_ack(packet.subspan(begin));
    if (!ack || !on_ack(now, ack->first)) {
      return;
    }
    begin += ack->second;
  }
  if (!messages_in().insert(load_be<std::uint64_t>(packet.data() + kHeader), packet.subspan(begin))) {
    ++counts_.refused_packets;
    return;
  }
  note_received(now, header, true);
}

Placement Connection::on_data(Time now, const Header& header, ByteView packet) {
  if (packet.size() <= kDataHeader) {
    return {};
  }
  if (acknowledger_.seen(header.number)) [[unlikely]] {
    ++counts_.duplicates;
    acknowledger_.hurry();
    return {};
  }
  if (options_.stranger) {
    ++counts_.refused_packets;
    return {};
  }
  if (state_ != State::established) {
    note_received(now, header, true);
    return {};
  }
  Placement placement = receiving_.on_data(read_data_header(packet.data()), packet.subspan(kDataHeader));
  if (placement.taken) {
    note_received(now, header, true);
  }
  return placement;
}

/// False when the ACK speaks of packets that were never sent: a peer that guesses makes us send faster than the path
/// allows (RFC 9000, 21.4), and that ends the connection.
bool Connection::on_ack(Time now, const AckBlock& ack) {
  if (!recovery_.honest(ack)) {
    ++counts_.refused_packets;
    break_off(now, "acknowledges packets that were never sent");
    return false;
  }
  ++counts_.acks_received;
  sending_.raise_limits(ack);
  recovery_.on_ack(now, ack);
  return true;
}

}  // namespace waggle::packet
