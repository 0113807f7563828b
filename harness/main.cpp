// SPDX-License-Identifier: BSD-2-Clause
#include <csignal>
#include <string_view>

#include "harness/cli/command.hpp"
#include "harness/experiment/agent.hpp"

int main(int argc, char** argv) {
  // A peer that vanishes is an error by name, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // Not a command: how an experiment starts its server and client processes.
  if (argc > 1 && std::string_view(argv[1]) == waggle::experiment::kAgentArgument) {
    return waggle::experiment::agent_main(argc - 1, argv + 1);
  }
  return waggle::cli::run_program(argc, argv);
}
