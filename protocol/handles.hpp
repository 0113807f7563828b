// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "protocol/file_service.hpp"

namespace waggle::protocol {

/// Which bytes of an upload are known to be right: disjoint intervals in ascending order, at most kMost of them.
class Coverage {
 public:
  static constexpr std::size_t kMost = 4096;

  /// False when it would take more than kMost intervals.
  bool add(std::uint64_t offset, std::uint64_t length);
  void subtract(std::uint64_t offset, std::uint64_t length);
  /// True when every byte of [0, size) is in.
  bool covers(std::uint64_t size) const;

 private:
  struct Interval {
    std::uint64_t begin;
    std::uint64_t end;
  };
  std::vector<Interval> intervals_;
};

/// One open file of a connection.
struct OpenFile {
  FileId file = 0;
  std::uint64_t size = 0;  ///< of an upload: bytes that it will have
  bool writable = false;
  bool upload = false;
  bool regular = true;
  Coverage verified;  ///< of an upload
};

/// Handles of one connection, chosen by its client.
using HandleTable = std::unordered_map<std::uint32_t, OpenFile>;

}  // namespace waggle::protocol
