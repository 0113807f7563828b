// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/text.hpp"
#include "harness/cli/command.hpp"
#include "harness/experiment/agent.hpp"

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
    fmt::print(stderr, "harness: the program is at fault: {}; report it with the command line\n",
               waggle::printable(error.what()));
  } catch (...) {
    fmt::print(stderr, "harness: the program is at fault; report it with the command line\n");
  }
  std::_Exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(end_by_exception);
  // A peer that vanishes is an error by name, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // Not a command: how an experiment starts its server and client processes.
  if (argc > 1 && std::string_view(argv[1]) == waggle::experiment::kAgentArgument) {
    return waggle::experiment::agent_main(argc - 1, argv + 1);
  }
  return waggle::cli::run_program(argc, argv);
}
