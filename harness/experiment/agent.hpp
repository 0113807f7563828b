// SPDX-License-Identifier: BSD-2-Clause
#pragma once

/// The processes that an experiment starts: the same program again, with a hidden first argument. They are commanded
/// over a control socket (control.hpp), one JSON request and one answer at a time, and die with the harness.
///
/// A request is {"do": NAME, …}; an answer is {"ok": true, …} or {"error": {fault, what, hint, errno}}. The first
/// request is {"do": "start", "role": ROLE, …}:
/// - "server" serves a directory through a datapath; knows "mark" (a reading of its usage and facts);
/// - "client" has the connections and runs the workload; knows "prepare", "run", "reset";
/// - "files" makes and reads files for the harness, so that a signal can end that at once; knows "make", "warm",
/// "chill" and "prime". All know "quit".
namespace waggle::experiment {

/// The hidden first argument; the second is the number of the inherited control socket.
inline constexpr const char* kAgentArgument = "__agent";

/// main() of an agent: `argv` is {kAgentArgument, CONTROL}. Returns the exit code.
int agent_main(int argc, char** argv);

}  // namespace waggle::experiment
