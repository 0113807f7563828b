// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <memory>
#include <vector>

#include "datapaths/packet/testing/times.hpp"
#include "datapaths/packet/transport/connection.hpp"
#include "datapaths/packet/transport/cubic.hpp"

namespace waggle::packet::testing {

/// A client's connection with much to send and a peer that says what the test wants, when it wants.
class LoneSender {
 public:
  /// `packet`: bytes of the largest packet that both ends take. `limit`: numbers that the peer allows at first.
  /// `patience`: see ConnectionOptions.
  explicit LoneSender(std::uint32_t packet = MtuSearch::kBase, std::uint64_t bytes = std::uint64_t{1} << 30U,
                      std::uint64_t limit = 1U << 20U, Time patience = 0)
      : room_(std::max<std::size_t>(packet, 9000)) {
    ConnectionOptions options;
    options.client = true;
    options.packet = packet;
    options.timeout = 1000 * kSecond;
    options.patience = patience;
    options.staging = &budget_;
    auto made = Connection::create(options, now);
    REQUIRE(made);
    connection_ = std::move(*made);
    REQUIRE(connection_->next_packet(now, room_));  // HELLO
    write_terms(room_.data() + kHeader, {packet, limit, kMessageWindow});
    receive(Type::accept, kHeader + kTerms);
    REQUIRE(connection_->state() == Connection::State::established);
    if (bytes > 0) {
      connection_->offer({1, 0, bytes}, SharedFd(), nullptr);
    }
  }

  Connection* operator->() { return connection_.get(); }

  /// Up to `most` packets that ask for an ACK, MTU probes apart, and their numbers.
  std::vector<std::uint64_t> send(std::size_t most) {
    std::vector<std::uint64_t> numbers;
    while (numbers.size() < most) {
      const auto sent = next();
      if (!sent) {
        break;
      }
      if (sent->type != Type::probe && sent->type != Type::ack) {
        numbers.push_back(sent->number);
      }
    }
    return numbers;
  }
  /// One probe of the path MTU: its number, or 0.
  std::uint64_t send_probe() {
    const auto sent = next();
    return sent && sent->type == Type::probe ? sent->number : 0;
  }
  std::optional<Header> next() {
    const auto built = connection_->next_packet(now, room_);
    if (!built) {
      return {};
    }
    last_offset = built->offset;
    last_length = built->length;
    return read_header(ByteView(room_).first(built->length));
  }
  /// `ranges` largest first, `delay` in µs.
  void acknowledge(std::initializer_list<NumberRange> ranges, std::uint32_t delay = 0, std::uint64_t floor = 0) {
    AckBlock ack;
    ack.floor = floor;
    ack.largest = ranges.size() > 0 ? ranges.begin()->last : floor - 1;
    ack.delay = delay;
    ack.packet_limit = 1U << 20U;
    ack.message_limit = kMessageWindow;
    for (const NumberRange& range : ranges) {
      ack.ranges.at(ack.count++) = range;
    }
    receive(Type::ack, kHeader + write_ack(ByteSpan(room_).subspan(kHeader), ack));
  }
  /// Some packets and their acknowledgement one round trip later; then nothing for another one.
  void exchange(std::size_t packets, Time rtt = 20 * kMs) {
    const auto numbers = send(packets);
    pass(rtt);
    REQUIRE_FALSE(numbers.empty());
    acknowledge({{numbers.front(), numbers.back()}});
    pass(rtt);  // so that the pacer has some credit
  }
  void pass(Time time) { now += time; }
  /// A packet of `length` bytes whose body stands in room().
  void receive(Type type, std::size_t length, std::uint8_t flags = 0) {
    const Header header{type, flags, static_cast<std::uint16_t>(length), 0, number_++, 0};
    connection_->on_packet(now, header, ByteView(room_).first(length));
  }
  ByteSpan room() { return room_; }

  Time now = kSecond;
  std::uint64_t last_offset = 0;  ///< of the DATA sent last
  std::uint32_t last_length = 0;  ///< bytes of the packet sent last

 private:
  std::uint64_t budget_ = 1U << 20U;
  std::vector<std::byte> room_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t number_ = 0;
};

}  // namespace waggle::packet::testing
