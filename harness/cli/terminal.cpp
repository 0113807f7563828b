// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace waggle::cli {
namespace {

std::size_t width_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool is_terminal(int fd) {
  const char* kind = std::getenv("TERM");
  return ::isatty(fd) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

}  // namespace

report::Style output_style(const Global& global) {
  if (!is_terminal(STDOUT_FILENO)) {
    return {};
  }
  return {.width = width_of(STDOUT_FILENO), .colour = !global.plain};
}

bool stderr_is_terminal() {
  return is_terminal(STDERR_FILENO);
}

std::size_t stderr_width() {
  return width_of(STDERR_FILENO);
}

}  // namespace waggle::cli
