// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/copy_meter.hpp"
#include "datapaths/packet/slab.hpp"

namespace waggle::packet {

/// Puts the parts of a frame that the kernel has spread over several chunks (XDP_USE_SG) together in a buffer of its
/// own: a packet must lie in one piece. This copy is counted.
class Joiner {
 public:
  /// For frames of up to `bytes` bytes, `count` at a time.
  static Result<Joiner> create(std::size_t count, std::size_t bytes) {
    WAGGLE_LET(slab, Slab::create(count, (bytes + 4095) / 4096 * 4096));
    return Joiner(std::move(slab), count);
  }

  /// False when all buffers are taken.
  bool begin() {
    if (free_.empty()) {
      return false;
    }
    current_ = free_.back();
    free_.pop_back();
    length_ = 0;
    return true;
  }
  /// False when the frame gets too long: then it must be given back.
  bool append(ByteView part) {
    if (length_ + part.size() > slab_.stride()) {
      return false;
    }
    copy_payload({slab_.block(current_) + length_, part.size()}, part);
    length_ += part.size();
    return true;
  }
  ByteSpan frame() const { return {slab_.block(current_), length_}; }
  std::uint32_t buffer() const { return current_; }
  void give_back(std::uint32_t buffer) { free_.push_back(buffer); }

 private:
  Joiner(Slab slab, std::size_t count) : slab_(std::move(slab)) {
    for (std::size_t index = count; index > 0; --index) {
      free_.push_back(static_cast<std::uint32_t>(index - 1));
    }
  }

  Slab slab_;
  std::vector<std::uint32_t> free_;
  std::uint32_t current_ = 0;
  std::size_t length_ = 0;
};

}  // namespace waggle::packet
