// SPDX-License-Identifier: BSD-2-Clause
#pragma once

namespace waggle::experiment {

/// The hidden first argument of an agent (agent.hpp); behind it stands the number of the inherited descriptor of the
/// control stream, or two of them, one to read from and one to write to.
inline constexpr const char* kAgentArgument = "__agent";

/// main() of an agent: `argv` is {kAgentArgument, IN[, OUT]}. Returns the exit code: 0 after "quit", 1 when the stream
/// was closed or brought what is no message, 2 without arguments.
int agent_main(int argc, char** argv);

}  // namespace waggle::experiment
