// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "datapaths/packet/host.hpp"
#include "datapaths/packet/simulated/testing/world.hpp"

namespace waggle::packet::testing {

/// A client that knows how to shake hands with a host and then sends what it likes, with right checksums; in virtual
/// time.
class Intruder {
 public:
  explicit Intruder(HostOptions options) : link_({}, 1) {
    options.listens = true;
    options.seed = 1;
    host_ = std::make_unique<Host>(network_.open(kVictim, link_, {}), options);
    port_ = network_.open(kIntruder, link_, {.packet = 8972, .rx_capacity = 100'000});
    network_.watch([this](const VirtualNetwork::Wire& wire) { see(wire); });
    for (int round = 0; round < 2; ++round) {
      std::fill_n(body(), MtuSearch::kBase - kHeader, std::byte{0});
      write_terms(body(), {8972, 1U << 20U, kMessageWindow});
      store_be(body() + kTerms, static_cast<std::uint16_t>(token_.size()));
      std::ranges::copy(token_, body() + kTerms + 2);
      send(Type::hello, MtuSearch::kBase);
    }
    connection_ = host_->accepted();
    must(connection_ != nullptr, "a good token was refused");
  }

  Host& host() { return *host_; }
  Connection& connection() { return *connection_; }
  std::uint64_t number() const { return number_; }  ///< of the next packet
  Time now() const { return network_.now(); }

  /// A packet whose body stands at body().
  void send(Type type, std::size_t length, std::uint8_t flags = 0) { send_as(number_++, type, length, flags); }
  void send_as(std::uint64_t number, Type type, std::size_t length, std::uint8_t flags = 0) {
    write_header(packet_.data(), {type, flags, static_cast<std::uint16_t>(length), kId, number, 0});
    seal(ByteSpan(packet_).first(length));
    std::array<TxFrame, 1> frame;
    must(port_->lease(frame) == 1, "no frame");
    std::ranges::copy(ByteView(packet_).first(length), frame[0].packet);
    frame[0].length = static_cast<std::uint32_t>(length);
    frame[0].to = kVictim;
    must(port_->send(frame).has_value(), "no port");
    pass(0);
  }
  void data(std::uint32_t extent, std::uint64_t offset, ByteView bytes) {
    write_data_header(packet_.data(), {extent, kHandle, offset});
    std::ranges::copy(bytes, packet_.begin() + kDataHeader);
    send(Type::data, kDataHeader + bytes.size());
  }
  void message(std::uint64_t offset, ByteView bytes) {
    store_be(body(), offset);
    std::ranges::copy(bytes, packet_.begin() + kMessageHeader);
    send(Type::message, kMessageHeader + bytes.size());
  }
  void acknowledge(const AckBlock& ack) {
    send(Type::ack, kHeader + write_ack(ByteSpan(packet_).subspan(kHeader), ack));
  }
  void pass(Time time) {
    network_.advance(now() + time);
    for (int turns = 0; turns < 1000; ++turns) {
      const auto pumped = host_->pump(now());
      must(pumped.has_value(), "the port died");
      network_.advance(now());
      std::array<RxFrame, kMostBurst> frames;
      while (const std::size_t count = port_->poll(frames).value_or(0)) {
        port_->release(std::span(frames).first(count));
      }
      if (!*pumped) {
        return;
      }
    }
    throw Violation("the host sends for ever");
  }

  static constexpr std::uint32_t kHandle = 7;
  std::optional<CloseCode> closed;   ///< what the host said with its last CLOSE
  std::optional<AckBlock> answered;  ///< its last ACK
  std::vector<Header> seen;          ///< all that it sent

 private:
  static constexpr Peer kVictim{.ip = 1, .port = 7000};
  static constexpr Peer kIntruder{.ip = 2, .port = 40000};
  static constexpr std::uint64_t kId = 0x1122334455667788;

  std::byte* body() { return packet_.data() + kHeader; }
  void see(const VirtualNetwork::Wire& wire) {
    if (!(wire.from == kVictim)) {
      return;
    }
    const auto header = read_header(wire.packet);
    must(header && intact(wire.packet), "the host sends what nobody can read");
    seen.push_back(*header);
    if (header->type == Type::retry) {
      token_.assign(wire.packet.begin() + kHeader, wire.packet.end());
    } else if (header->type == Type::close) {
      closed = static_cast<CloseCode>(load_be<std::uint16_t>(wire.packet.data() + kHeader));
    } else if (header->type == Type::ack) {
      answered = read_ack(wire.packet.subspan(kHeader))->first;
    }
  }

  VirtualNetwork network_;
  VirtualLink link_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Port> port_;
  Connection* connection_ = nullptr;
  std::vector<std::byte> token_;
  std::uint64_t number_ = 1;
  std::array<std::byte, 9000> packet_{};
};

}  // namespace waggle::packet::testing
