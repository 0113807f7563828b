// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <algorithm>

#include "base/mapping.hpp"
#include "datapaths/stream/mover.hpp"

namespace waggle::stream {

/// Bytes that the file has from `offset` on.
inline Result<std::uint64_t> bytes_from(int file, std::uint64_t offset) {
  struct stat status{};
  if (::fstat(file, &status) != 0) {
    return fail_errno("cannot tell the size of the file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return size > offset ? size - offset : 0;
}

/// How the movers that send from a mapping walk through an extent: one window of the file is mapped at a time, so that
/// memory does not grow with the file. `put` sends a beginning of the bytes it gets and returns its length, as send(2)
/// does. Returns the bytes that were really those of the file.
template <typename Put>
Result<std::uint64_t> send_mapped(const Outgoing& extent, std::size_t window, Put put) {
  // Without a digest a whole window goes out in one call; with one, pieces that are still in the cache.
  const std::size_t piece = extent.digest == nullptr ? window : std::min<std::size_t>(window, 256 * 1024);
  std::uint64_t done = 0;
  bool cut = false;
  while (!cut && done < extent.id.length) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(window, extent.id.length - done));
    WAGGLE_LET(mapping, Mapping::of(extent.file, extent.id.offset + done, length, PROT_READ, MAP_POPULATE));
    ByteView bytes = mapping.bytes();
    while (!cut && !bytes.empty()) {
      ByteView part = bytes.first(std::min(piece, bytes.size()));
      bytes = bytes.subspan(part.size());
      cut = extent.digest != nullptr && !guarded(part, [&] { extent.digest->update(part); });
      while (!cut && !part.empty()) {
        auto sent = put(part);
        if (sent) {
          part = part.subspan(*sent);
          done += *sent;
          continue;
        }
        if (sent.error().system != EFAULT) {
          return std::unexpected(std::move(sent).error());
        }
        // A call may refuse a range whole of which only the end is gone: once more with what there still is.
        WAGGLE_LET(there, bytes_from(extent.file, extent.id.offset + done));
        cut = there == 0 || there >= part.size();
        part = cut ? part : part.first(there);
      }
    }
  }
  // The last page of a file that shrank reads as zeros beyond the end: only the size tells.
  WAGGLE_LET(there, bytes_from(extent.file, extent.id.offset));
  return std::min(done, there);
}

}  // namespace waggle::stream
