// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace waggle::packet {

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
