// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/cli/command.hpp"

namespace waggle::cli {

/// One moving line on stderr: a bar, what is being done, the rate and the time that remains. Shows nothing when stderr
/// is no terminal or the user asked for quiet; draws at most ten times a second, so callers need not ration updates.
class ProgressBar {
 public:
  explicit ProgressBar(const Global& global);
  /// Of something that began at `start_ns` (now_ns()): what remains is told from then on.
  ProgressBar(const Global& global, std::uint64_t start_ns);
  ~ProgressBar();  ///< erases the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `fraction` of the work done (0…1; negative: not known), `doing` like "sendfile run 3/5" or a file's name, `rate`
  /// in bytes per second (0: not shown).
  void update(double fraction, std::string_view doing, double rate);

 private:
  bool shown_;
  std::uint64_t start_ns_;
  std::uint64_t drawn_ns_ = 0;
};

/// The line itself, `width` columns at most. `remaining` in seconds; negative: not known.
std::string progress_line(double fraction, std::string_view doing, double rate, double remaining, std::size_t width);

}  // namespace waggle::cli
