// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>

#include "datapaths/packet/transport/inbound.hpp"

namespace waggle::packet {

/// Puts payload into its file straight from the frames; neighbours go in one call.
class FileWriter {
 public:
  /// `payload` belongs at `offset` of the extent and must stay until flush(). Failures end up in the extent's `sink`.
  void write(Inbound& extent, std::uint64_t offset, ByteView payload);
  void flush();

 private:
  static constexpr std::size_t kMost = 64;
  std::array<iovec, kMost> vectors_;
  std::size_t count_ = 0;
  Inbound* extent_ = nullptr;
  std::uint64_t begin_ = 0;  // of the run, bytes from the start of the file
  std::uint64_t end_ = 0;
};

}  // namespace waggle::packet
