// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "harness/cli/command.hpp"
#include "harness/experiment/agent_main.hpp"

namespace {

/// For exceptions that nobody catches, of whatever thread: they are bugs, but end the program with a line and a code
/// like every other failure. Without one it is std::terminate() that was called, and a core dump says more.
[[noreturn]] void end_by_exception() {
  const auto thrown = std::current_exception();
  if (!thrown) {
    std::abort();
  }
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    waggle::print_error("harness: the program is at fault: {}; report it with the command line\n",
                        waggle::printable(error.what()));
  } catch (...) {
    waggle::print_error("harness: the program is at fault; report it with the command line\n");
  }
  std::_Exit(1);
}

/// What the program opens must not become its own stdin, stdout or stderr where somebody has closed them. Reading from
/// the first and writing to the second stays the error that it is (EBADF); what is said is lost.
void fill_standard_descriptors() {
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0 && ::open("/dev/null", kModes[descriptor]) != descriptor) {
      std::_Exit(1);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  std::set_terminate(end_by_exception);
  // A peer that vanishes is an error by name, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // Likewise a file that the limit of file sizes does not allow (RLIMIT_FSIZE): EFBIG, for one client of a server.
  std::signal(SIGXFSZ, SIG_IGN);
  // Not a command: how an experiment starts its server and client processes.
  if (argc > 1 && std::string_view(argv[1]) == waggle::experiment::kAgentArgument) {
    return waggle::experiment::agent_main(argc - 1, argv + 1);
  }
  return waggle::cli::run_program(argc, argv);
}
