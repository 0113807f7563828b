// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <optional>

#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/wire.hpp"
#include "datapaths/sense.hpp"

namespace waggle::packet {

/// How messages stand in the message stream: length (4 bytes), kind (1), and for kind 1 the extent that follows: handle
/// (4), offset (8), length (8).
struct MessageFrame {
  static constexpr std::size_t kShort = 5;
  static constexpr std::size_t kLong = kShort + 20;

  std::size_t size = 0;  ///< bytes of the message
  std::uint8_t kind = 0;
  std::optional<ExtentId> extent;  ///< that it announces

  std::size_t header() const { return kind == 0 ? kShort : kLong; }
  bool sound() const { return kind <= 1 && size <= kMaxMessage && (!extent || fits(*extent)); }

  /// What comes next, as soon as its header is there.
  static std::optional<MessageFrame> peek(MessageReceiver& stream) {
    if (stream.available() < kShort) {
      return {};
    }
    MessageFrame frame;
    const ByteView front = stream.view(0, kShort);
    frame.size = load_be<std::uint32_t>(front.data());
    frame.kind = load_be<std::uint8_t>(front.data() + 4);
    if (frame.kind != 1) {
      return frame;
    }
    if (stream.available() < kLong) {
      return {};
    }
    const ByteView id = stream.view(kShort, kLong - kShort);
    frame.extent = {load_be<std::uint32_t>(id.data()), load_be<std::uint64_t>(id.data() + 4),
                    load_be<std::uint64_t>(id.data() + 12)};
    return frame;
  }

  /// Bytes that a message takes in the stream.
  static std::size_t room(ByteView message, const ExtentId* extent) {
    return (extent == nullptr ? kShort : kLong) + message.size();
  }
  /// To a stream that has room for it.
  static void write(MessageSender& stream, ByteView message, const ExtentId* extent) {
    std::array<std::byte, kLong> header;
    store_be(header.data(), static_cast<std::uint32_t>(message.size()));
    store_be(header.data() + 4, static_cast<std::uint8_t>(extent != nullptr ? 1 : 0));
    if (extent != nullptr) {
      store_be(header.data() + kShort, extent->handle);
      store_be(header.data() + kShort + 4, extent->offset);
      store_be(header.data() + kShort + 12, extent->length);
    }
    stream.write(ByteView(header).first(room({}, extent)));
    stream.write(message);
  }
};

}  // namespace waggle::packet
