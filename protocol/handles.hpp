// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

/// Open files of all connections together. Each may have as many as are still free, so that one alone gets half of
/// them, n get 1/(n+1) each, and there are always some for whoever comes next (dynamic thresholds, Choudhury and Hahne
/// 1998).
class FileBudget {
 public:
  explicit FileBudget(std::size_t most) : most_(most) {}
  /// One more for a connection that has `own`; false when that would be more than its share.
  bool take(std::size_t own) {
    std::size_t used = used_.load();
    do {
      if (used >= most_ || own >= most_ - used) {
        return false;
      }
    } while (!used_.compare_exchange_weak(used, used + 1));
    return true;
  }
  void give() { used_.fetch_sub(1); }
  std::size_t used() const { return used_.load(); }

 private:
  std::size_t most_;
  std::atomic<std::size_t> used_{0};
};

/// One file's place in a FileBudget, for as long as it lives.
struct GivesBack {
  void operator()(FileBudget* budget) const { budget->give(); }
};
using FileShare = std::unique_ptr<FileBudget, GivesBack>;

/// One open file of a connection.
struct OpenFile {
  FileId file = 0;
  std::uint64_t size = 0;  ///< of an upload: bytes that it will have
  bool writable = false;
  bool upload = false;
  bool regular = true;
  Coverage verified;  ///< of an upload
  FileShare share;
};

/// Handles of one connection, chosen by its client.
using HandleTable = std::unordered_map<std::uint32_t, OpenFile>;

}  // namespace waggle::protocol
