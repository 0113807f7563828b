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
  /// When a hole would make more than kMost intervals, the shorter part beside it is forgotten, too.
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

class FileBudget;

/// What one connection has of a FileBudget, in descriptors. What a connection takes may be given back by any thread.
struct FileAccount {
  std::atomic<std::size_t> few{0};     ///< of the reserve
  std::atomic<std::size_t> shared{0};  ///< of the rest
};

/// One file's place in a FileBudget, for as long as anybody holds it: the session while the file is open, and with its
/// descriptor whoever still reads it after that.
using FileShare = std::shared_ptr<const void>;

/// Descriptors of the open files of all connections together. Each may have as many as are still free, so that one
/// alone gets half of them, n get 1/(n+1) each, and there are some for whoever comes next (dynamic thresholds,
/// Choudhury and Hahne 1998). Since open files do not drain as queues do, the first kFew of each connection come from a
/// reserve, to which that rule does not apply.
class FileBudget : public std::enable_shared_from_this<FileBudget> {
 public:
  static constexpr std::size_t kFew = 4;

  explicit FileBudget(std::size_t most, std::size_t reserve = 0) : shared_{most}, reserve_{reserve} {}
  /// `count` descriptors for a connection; empty when that would be more than its share. Called by one thread at a time
  /// for each account.
  FileShare take(const std::shared_ptr<FileAccount>& account, std::size_t count);
  std::size_t used() const { return shared_.used.load() + reserve_.used.load(); }

 private:
  FileShare share(std::shared_ptr<FileAccount> account, std::size_t count, bool reserved);

  struct Pool {
    std::size_t most;
    std::atomic<std::size_t> used{0};
    /// False unless `spare` more would be free after it.
    bool take(std::size_t count, std::size_t spare);
  };
  Pool shared_;
  Pool reserve_;
};

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
