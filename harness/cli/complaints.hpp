// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

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

/// Lets some lines through and counts the others, for what strangers can cause as often as they like. Not thread-safe.
class RateLimit {
 public:
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::uint64_t kMost = 10;  ///< in one window

  struct Passed {
    bool say = false;
    std::uint64_t unsaid = 0;  ///< of the window before, to be said now
  };
  /// Whether a line may be said at `now`.
  Passed pass(std::chrono::steady_clock::time_point now) {
    Passed passed;
    if (now - since_ >= kWindow) {
      passed.unsaid = std::exchange(unsaid_, 0);
      since_ = now;
      said_ = 0;
    }
    passed.say = said_ < kMost;
    ++(passed.say ? said_ : unsaid_);
    return passed;
  }

 private:
  std::chrono::steady_clock::time_point since_;
  std::uint64_t said_ = 0;
  std::uint64_t unsaid_ = 0;
};

}  // namespace waggle::cli
