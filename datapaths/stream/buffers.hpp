// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstring>
#include <memory>

#include "base/bytes.hpp"
#include "base/copy_meter.hpp"

namespace waggle::stream {

/// Bytes that wait to leave: many small frames go out in one call. Holds frames and small extents that were read from
/// their file straight into it.
class OutputBuffer {
 public:
  static constexpr std::size_t kCapacity = 256 * 1024;

  std::size_t room() const { return kCapacity - used_; }
  bool empty() const { return used_ == 0; }
  ByteView bytes() const { return {memory_.get(), used_}; }
  void clear() { used_ = 0; }

  /// Adds bytes of a frame (never payload); there must be room.
  void append(ByteView bytes) {
    if (!bytes.empty()) {
      std::memcpy(memory_.get() + used_, bytes.data(), bytes.size());
      used_ += bytes.size();
    }
  }
  /// The next `length` bytes, for the caller to fill; they count as written.
  ByteSpan claim(std::size_t length) {
    used_ += length;
    return {memory_.get() + used_ - length, length};
  }

 private:
  std::unique_ptr<std::byte[]> memory_ = std::make_unique_for_overwrite<std::byte[]>(kCapacity);
  std::size_t used_ = 0;
};

/// Bytes that have arrived and were not looked at yet, in one piece. What was consumed stays readable until space() is
/// called again.
class InputBuffer {
 public:
  /// A whole message with its header fits, and so does a whole view.
  static constexpr std::size_t kCapacity = 320 * 1024;

  ByteView bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  ByteView consume(std::size_t length) {
    begin_ += length;
    return {memory_.get() + begin_ - length, length};
  }

  /// Free memory behind the bytes, so that bytes() can grow to `total` bytes at least (moves them if it must).
  ByteSpan space(std::size_t total) {
    if (begin_ == end_) {
      begin_ = end_ = 0;
    } else if (kCapacity - begin_ < total) {
      move_payload(memory_.get(), bytes());  // payload that was read ahead is among it
      end_ -= begin_;
      begin_ = 0;
    }
    return {memory_.get() + end_, kCapacity - end_};
  }
  void grow(std::size_t length) { end_ += length; }

 private:
  std::unique_ptr<std::byte[]> memory_ = std::make_unique_for_overwrite<std::byte[]>(kCapacity);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace waggle::stream
