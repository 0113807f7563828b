// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace waggle::cli {

/// Writes lines for threads that must not wait for whoever reads them: a pipe that nobody empties, or a terminal that
/// is held, blocks who writes to it. Lines wait in a queue and are written by a thread of its own; what exceeds the
/// queue is dropped, and counted in a line of its own once there is room again.
class Complaints {
 public:
  static constexpr std::size_t kMost = 256;  ///< lines that wait

  /// Writes to `descriptor`, which must stay open; nobody else should write much there.
  explicit Complaints(int descriptor);
  /// Writes what waits, for as long as there is a reader to take it within `kLastWords`.
  ~Complaints();
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;

  /// `line` without its end, of whatever bytes: it is written as printable() has it. From any thread, never waits.
  void say(std::string_view line);

  static constexpr std::chrono::seconds kLastWords{1};

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< the thread's too: one that is stuck is left behind
};

}  // namespace waggle::cli
