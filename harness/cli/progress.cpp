// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.hpp"
#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "harness/cli/terminal.hpp"

namespace waggle::cli {
namespace {

constexpr std::uint64_t kDrawEveryNs = 100'000'000;
constexpr std::size_t kBar = 24;

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::lround(std::min(seconds, 359'999.0)));
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string cut(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (starts && ++used > width) {
      break;
    }
    out += c;
  }
  return out;
}

}  // namespace

std::string progress_line(double fraction, std::string_view doing, double rate, double remaining, std::size_t width) {
  std::string line;
  if (fraction >= 0) {
    const double part = std::min(fraction, 1.0);
    const auto full = static_cast<std::size_t>(std::lround(part * static_cast<double>(kBar)));
    line = fmt::format("[{}{}] {:3.0f} %  ", std::string(full, '='), std::string(kBar - full, ' '), part * 100);
  }
  line += printable(doing);
  if (rate > 0) {
    line += fmt::format("  {}/s", format_bytes(static_cast<std::uint64_t>(rate)));
  }
  if (remaining >= 0) {
    line += fmt::format("  {} left", duration(remaining));
  }
  return cut(line, width);
}

ProgressBar::ProgressBar(const Global& global) : ProgressBar(global, now_ns()) {}

ProgressBar::ProgressBar(const Global& global, std::uint64_t start_ns)
    : shown_(!global.quiet && stderr_is_terminal()), start_ns_(start_ns) {}

ProgressBar::~ProgressBar() {
  if (drawn_ns_ != 0) {
    std::fputs("\r\x1b[K", stderr);
  }
}

void ProgressBar::update(double fraction, std::string_view doing, double rate) {
  const std::uint64_t now = now_ns();
  if (!shown_ || now - drawn_ns_ < kDrawEveryNs) {
    return;
  }
  drawn_ns_ = now;
  const double elapsed = static_cast<double>(now - start_ns_) / 1e9;
  const double remaining = fraction > 0.01 ? elapsed * (1 - std::min(fraction, 1.0)) / fraction : -1;
  const std::size_t width = stderr_width();
  print_error("\r{}\x1b[K", progress_line(fraction, doing, rate, remaining, width > 1 ? width - 1 : 1));
  std::fflush(stderr);
}

}  // namespace waggle::cli
