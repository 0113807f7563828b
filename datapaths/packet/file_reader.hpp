// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/mapping.hpp"
#include "base/result.hpp"
#include "base/shared_fd.hpp"
#include "datapaths/packet/port.hpp"
#include "datapaths/packet/transport/outbound.hpp"

namespace waggle::packet {

/// Fills the payload of a burst of DATA packets from their files, and seals the packets.
class FileReader {
 public:
  enum class Way {
    copied,  ///< preadv: the kernel copies from the page cache straight into frames
    mapped,  ///< the file is mapped; our code copies and computes the checksum in the same pass
    direct   ///< O_DIRECT: the device writes into frames; no CPU copy
  };
  static Result<Way> parse(std::string_view name);  ///< "read", "mmap" or "direct"
  static CopyModel copies(Way way);                 ///< from the file into frames

  struct Piece {
    Outbound* extent = nullptr;
    std::uint64_t offset = 0;     ///< into the extent, bytes
    std::byte* packet = nullptr;  ///< header is written; payload goes to kDataHeader
    std::uint32_t payload = 0;    ///< bytes
    bool first = false;           ///< feeds the digest
  };

  explicit FileReader(Way way) : way_(way) {}

  /// The file, so that it can be read for as long as the peer may ask again: the shared descriptor, or else one of our
  /// own. With Way::direct it is always one of our own, open for O_DIRECT: Fault::missing when the file system has
  /// none, Fault::usage when the offset is within a sector.
  static Result<SharedFd> own(const Outgoing& outgoing, Way way);
  /// Bytes that a file no longer has are zeros, and its Outbound says since where and why.
  void fill(std::span<Piece> pieces);

 private:
  void read(std::span<Piece> run);
  bool copy_mapped(std::span<Piece> run);
  void seal_all(std::span<Piece> run, std::uint64_t got);
  void digest(std::span<Piece> run);

  Way way_;
  std::array<iovec, kMostBurst> vectors_;
  std::array<ByteView, kMostBurst> views_;

  /// Way::mapped: pieces of files that are mapped now, one per extent that is being sent.
  struct Window {
    std::uint64_t serial = 0;  ///< Outbound::serial()
    std::uint64_t at = 0;      ///< bytes from the start of the extent
    Mapping mapping;
  };
  Window* window(const Piece& piece);
  std::array<Window, 8> windows_;
  std::size_t next_window_ = 0;
};

}  // namespace waggle::packet
