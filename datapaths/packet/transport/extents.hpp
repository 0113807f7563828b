// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/digest.hpp"
#include "base/shared_fd.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/range_set.hpp"

namespace waggle::packet {

/// An extent on its way out. The transport decides which bytes go when; the host reads them from the file, also to send
/// them again.
struct Outbound {
  ExtentId id;
  std::uint32_t sequence = 0;
  std::uint64_t serial = 0;  ///< unlike that of any other extent in this process
  SharedFd file;
  ExtentDigester* digest = nullptr;         ///< the caller's, until all bytes have been sent once
  std::uint64_t next = 0;                   ///< first byte never sent, from the start of the extent
  std::uint64_t valid = ~std::uint64_t{0};  ///< bytes that the file still had when they were read
  Result<> source;                          ///< why it had no more
  std::uint32_t under_way = 0;              ///< packets
  std::uint64_t acknowledged = 0;           ///< bytes, twice where two copies were
  RangeSet lost;                            ///< to be sent again, from the start of the extent

  bool sent() const { return next == id.length; }
  bool over() const { return sent() && under_way == 0 && lost.empty(); }
};

/// An extent that is expected or arriving.
struct Inbound {
  Incoming incoming;
  std::optional<std::uint32_t> sequence;        ///< which announced extent it is, once that is known
  std::optional<std::uint64_t> length;          ///< as announced
  RangeSet received;                            ///< from the start of the extent
  std::uint64_t frontier = 0;                   ///< all below is received and digested
  Result<> sink;                                ///< why the file took no more
  std::vector<std::byte> view;                  ///< for Sink::view
  ExtentDigester digest{DigestKind::xxh3_128};  ///< mirrors incoming.digest, whose owner may use it for many extents

  bool complete() const { return length && frontier >= *length; }
  void reset() {
    incoming = {};
    sequence.reset();
    length.reset();
    received.clear();
    frontier = 0;
    sink = {};
  }
};

/// Payload that cannot go to its place yet: it came before its extent was expected, or out of order for a sink that
/// keeps nothing. Bounded by a budget that all connections of a host share: a connection may hold as much as it leaves
/// to the others, so that however greedy some are, there is something left for the next one.
class Staging {
 public:
  explicit Staging(std::uint64_t& budget) : budget_(&budget) {}
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  struct Piece {
    std::uint32_t handle = 0;
    std::vector<std::byte> bytes;
  };
  using Key = std::pair<std::uint32_t, std::uint64_t>;  ///< extent, offset in the file
  using Pieces = std::map<Key, Piece>;

  /// Copies `payload`, counted; false when this connection's share is used up.
  bool put(Key key, std::uint32_t handle, ByteView payload);
  /// Takes out the piece with the lowest offset of that extent, when it begins at or below `offset`.
  std::optional<std::pair<std::uint64_t, Piece>> take(std::uint32_t extent, std::uint64_t offset);
  bool empty() const { return pieces_.empty(); }
  std::uint64_t held() const { return held_; }  ///< bytes, what keeps them included
  void clear();

 private:
  void release(std::uint64_t bytes) {
    *budget_ += bytes;
    held_ -= bytes;
  }

  std::uint64_t* budget_;
  std::uint64_t held_ = 0;  // of the budget
  Pieces pieces_;
};

}  // namespace waggle::packet
