// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "harness/cli/command.hpp"

namespace waggle::cli {

/// Shows on a terminal how a transfer gets on, from a thread of its own, while the calls that move bytes block. Without
/// a terminal there is no thread.
class TransferWatch {
 public:
  explicit TransferWatch(const Global& global);

  /// To be told of verified bytes.
  Progress* progress() { return progress_.get(); }
  /// More bytes will come (or are there already, when `done`).
  void expect(std::uint64_t bytes);
  void skip(std::uint64_t bytes);
  void doing(std::string name);
  /// Says at once, on stderr, what has failed while the rest goes on.
  void failed(const Error& error);
  /// Ends the display, before anything else is printed.
  void stop();

 private:
  void draw(const Global& global, std::stop_token stop);

  std::unique_ptr<Progress> progress_ = std::make_unique<Progress>();
  std::atomic<std::uint64_t> expected_{0};
  std::atomic<std::uint64_t> skipped_{0};
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::string doing_;
  std::jthread drawer_;
};

/// What a whole `get` or `put` has done.
struct TransferTotal {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;       ///< of all files
  std::uint64_t unchanged = 0;   ///< of these were there already and only compared, or are holes
  std::uint64_t left_out = 0;    ///< links, devices and the like in a tree, unfinished ones too
  std::uint64_t unfinished = 0;  ///< of these: files that carry the name of an unfinished transfer
  std::uint64_t failed = 0;      ///< files and directories that could not be moved
  std::uint64_t start_ns = 0;
  std::string congestion;  ///< control that the connection had
};

/// `error`, which says what it is about.
Error about(const std::string& path, Error error);
/// Within a tree, or one of several names: a failure is named and counted, and the rest goes on, unless the connection
/// is lost or the user wants it to end.
Result<> go_past(Result<> done, TransferWatch& watch, TransferTotal& total);
/// Success when nothing has failed.
Result<> all_of(const TransferTotal& total);
/// A tree is not copied into itself.
std::unexpected<Error> inside_itself(const std::string& target);

/// Prints the result: one line, or JSON. `out` is stderr when stdout has the bytes themselves.
void print_total(const Global& global, const TransferTotal& total, const std::string& from, const std::string& to,
                 const std::string& digest, std::FILE* out = stdout);

}  // namespace waggle::cli
