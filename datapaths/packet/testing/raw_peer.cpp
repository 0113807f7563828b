// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/testing/raw_peer.hpp"

#include <algorithm>
#include <utility>

#include "datapaths/packet/transport/mtu_search.hpp"
#include "datapaths/packet/transport/retry_token.hpp"

namespace waggle::packet::testing {
namespace {

constexpr std::size_t kPiece = 1100;       // bytes of the message stream in a packet
constexpr std::size_t kFrame = 5;          // before a message in the stream
constexpr std::size_t kAnnouncement = 20;  // after that, when it announces an extent
constexpr std::size_t kMostKept = 256;     // packets that can be repeated

}  // namespace

void RawPeer::packet(Type type, ByteView body, bool matters, std::uint8_t flags) {
  Bytes bytes(kHeader + body.size());
  write_header(bytes.data(), {type, flags, static_cast<std::uint16_t>(bytes.size()), connection_, 0, 0});
  std::ranges::copy(body, bytes.begin() + kHeader);
  transmit(std::move(bytes), matters);
}

void RawPeer::transmit(Bytes packet, bool matters) {
  auto header = *read_header(packet);
  header.number = next_++;
  const std::uint64_t oldest = outstanding_.empty() ? header.number : outstanding_.begin()->first;
  header.lag = static_cast<std::uint32_t>(header.number - std::min(oldest, header.number));
  write_header(packet.data(), header);
  seal(packet);
  send_(packet);
  if (past_.size() == kMostKept) {
    past_.erase(past_.begin());
  }
  past_.push_back(packet);
  if (matters) {
    outstanding_.emplace(header.number, std::move(packet));
  }
}

void RawPeer::hello() {
  Bytes body(MtuSearch::kBase - kHeader);
  write_terms(body.data(), terms_);
  store_be(body.data() + kTerms, static_cast<std::uint16_t>(token_.size()));
  std::ranges::copy(token_, body.begin() + kTerms + 2);
  packet(Type::hello, body, false);
}

void RawPeer::message(ByteView message, const ExtentId* announces) {
  Bytes frame(kFrame + (announces != nullptr ? kAnnouncement : 0));
  store_be(frame.data(), static_cast<std::uint32_t>(message.size()));
  store_be(frame.data() + 4, static_cast<std::uint8_t>(announces != nullptr ? 1 : 0));
  if (announces != nullptr) {
    store_be(frame.data() + kFrame, announces->handle);
    store_be(frame.data() + kFrame + 4, announces->offset);
    store_be(frame.data() + kFrame + 12, announces->length);
    ++announced_;
  }
  frame.insert(frame.end(), message.begin(), message.end());
  stream(frame);
}

void RawPeer::begin_message(ByteView bytes, std::size_t size) {
  Bytes frame(kFrame);
  store_be(frame.data(), static_cast<std::uint32_t>(size));
  frame.insert(frame.end(), bytes.begin(), bytes.end());
  stream(frame);
}

void RawPeer::stream(ByteView bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const ByteView piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    Bytes body(8);
    store_be(body.data(), streamed_);
    body.insert(body.end(), piece.begin(), piece.end());
    packet(Type::message, body, true);
    streamed_ += piece.size();
  }
}

void RawPeer::data(std::uint32_t extent, std::uint32_t handle, std::uint64_t offset, ByteView payload,
                   std::size_t piece) {
  for (std::size_t at = 0; at < payload.size(); at += piece) {
    const ByteView part = payload.subspan(at, std::min(piece, payload.size() - at));
    Bytes body(kDataHeader - kHeader);
    store_be(body.data(), extent);
    store_be(body.data() + 4, handle);
    store_be(body.data() + 8, offset + at);
    body.insert(body.end(), part.begin(), part.end());
    packet(Type::data, body, true, kSolicits);
  }
}

void RawPeer::close(CloseCode code) {
  Bytes body(10);
  store_be(body.data(), static_cast<std::uint16_t>(code));
  store_be(body.data() + 2, streamed_);
  packet(Type::close, body, false);
}

void RawPeer::again() {
  auto lost = std::exchange(outstanding_, {});
  for (auto& [number, packet] : lost) {
    transmit(std::move(packet), true);
  }
}

void RawPeer::repeat(std::size_t back) {
  if (back < past_.size()) {
    send_(past_[past_.size() - 1 - back]);
  }
}

void RawPeer::on_ack(const AckBlock& ack) {
  packet_limit_ = std::max(packet_limit_, ack.packet_limit);
  outstanding_.erase(outstanding_.begin(), outstanding_.lower_bound(ack.floor));
  for (const NumberRange& range : std::span(ack.ranges).first(ack.count)) {
    outstanding_.erase(outstanding_.lower_bound(range.first), outstanding_.upper_bound(range.last));
  }
}

void RawPeer::on_packet(ByteView packet) {
  const auto header = read_header(packet);
  if (!header || !intact(packet) || header->connection != connection_ || packet.size() > path) {
    return;
  }
  switch (header->type) {
    case Type::retry:
      if (packet.size() == kHeader + RetryTokens::kSize && token_.empty()) {
        token_.assign(packet.begin() + kHeader, packet.end());
        hello();
      }
      return;
    case Type::accept:
      if (!accepted_ && packet.size() >= kHeader + kTerms) {
        accepted_ = true;
        packet_limit_ = read_terms(packet.data() + kHeader).packet_limit;
      }
      received_.add(header->number);
      return;
    case Type::close: closed_ = true; return;
    case Type::ack:
      if (const auto ack = read_ack(packet.subspan(kHeader))) {
        on_ack(ack->first);
      }
      received_.add(header->number);
      return;
    case Type::message: {
      std::size_t begin = kMessageHeader;
      if ((header->flags & kHasAck) != 0) {
        if (const auto ack = read_ack(packet.subspan(begin))) {
          on_ack(ack->first);
          begin += ack->second;
        }
      }
      if (packet.size() >= begin &&
          messages_.insert(load_be<std::uint64_t>(packet.data() + kHeader), packet.subspan(begin))) {
        received_.add(header->number);
      }
      break;
    }
    case Type::data:
      payload_ += received_.seen(header->number) ? 0 : packet.size() - std::min(packet.size(), kDataHeader);
      received_.add(header->number);
      break;
    default: received_.add(header->number); break;
  }
  received_.forget_below(header->number - header->lag);
  ack_due_ = true;
}

void RawPeer::acknowledge() {
  if (!acknowledges || !ack_due_) {
    return;
  }
  ack_due_ = false;
  AckBlock ack = received_.describe();
  ack.packet_limit = received_.next() + room;
  ack.message_limit = hears.value_or(messages_.limit());
  Bytes body(ack_size(kMostRanges));
  body.resize(write_ack(body, ack));
  packet(Type::ack, body, false);
}

std::optional<RawPeer::Message> RawPeer::take_message() {
  if (messages_.available() < kFrame) {
    return {};
  }
  Bytes frame(kFrame + kAnnouncement);
  std::ranges::copy(messages_.view(0, kFrame), frame.begin());
  const std::size_t size = load_be<std::uint32_t>(frame.data());
  const bool announces = load_be<std::uint8_t>(frame.data() + 4) != 0;
  const std::size_t begin = kFrame + (announces ? kAnnouncement : 0);
  if (messages_.available() < begin + size) {
    return {};
  }
  Message message;
  if (announces) {
    std::ranges::copy(messages_.view(kFrame, kAnnouncement), frame.begin() + kFrame);
    message.announces = {load_be<std::uint32_t>(frame.data() + kFrame),
                         load_be<std::uint64_t>(frame.data() + kFrame + 4),
                         load_be<std::uint64_t>(frame.data() + kFrame + 12)};
  }
  const ByteView view = messages_.view(begin, size);
  message.bytes.assign(view.begin(), view.end());
  messages_.consume(begin + size);
  ack_due_ = true;
  return message;
}

}  // namespace waggle::packet::testing
