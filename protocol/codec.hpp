// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "protocol/messages.hpp"

/// Messages to bytes and back. Decoding is strict: lengths, ranges, flags and reserved bits are checked, trailing bytes
/// are refused, and whatever decodes encodes to the same bytes. Nothing allocates but ENTRIES, DIGESTS and failures.
namespace waggle::protocol {

/// Memory for one message, reused from message to message; grows to the longest.
class MessageBuffer {
 public:
  ByteSpan take(std::size_t size);

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
};

/// Encodes into `buffer`; the view is valid until the buffer is used again. Fault::usage when a field does not fit the
/// wire format (a path that is too long, a message above kMaxMessage).
template <typename Body>
Result<ByteView> encode(MessageBuffer& buffer, std::uint32_t request, const Body& body, std::uint8_t flags = 0);

/// The first kHeadSize bytes. Fault::protocol when they are missing, reserved bits are set or the op is unknown.
Result<Head> decode_head(ByteView message);

/// The whole message, whose head has been decoded already. Fault::protocol when it is malformed.
template <typename Body>
Result<Body> decode(const Head& head, ByteView message);

/// A message of any kind: for tests, fuzzing and tools.
struct AnyMessage {
  Head head;
  AnyBody body;
};
Result<AnyMessage> decode_any(ByteView message);

}  // namespace waggle::protocol
