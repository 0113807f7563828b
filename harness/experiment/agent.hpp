// SPDX-License-Identifier: BSD-2-Clause
#pragma once

/// The processes that an experiment starts: the same program again, with a hidden first argument. They are commanded
/// over a byte stream (control.hpp), one JSON request and one answer at a time, and end when it is closed.
///
/// A request is {"do": NAME, "id": ANY, …}; its answer is {"ok": true, "id": THE SAME, …} or {"error": {fault, what,
/// hint, errno}, "id": …}, so that nobody takes the answer to one question for that to another. An error ends nothing;
/// what is no message does. The first request is {"do": "start", "role": ROLE, …}:
/// - "server" serves a directory through a datapath; knows "mark" (a reading of its usage and facts);
/// - "client" has the connections and runs the workload; knows "prepare", "run", "reset";
/// - "host" does for the harness what is to be done and measured on its host, so that a signal can end that at once: it
/// knows "make", "warm", "chill" and "prime" for files and memory; "look" and "looked" for what the machine is like
/// before and after a run; "begin" and "end" for what it counts meanwhile, and in probed runs "watch" before them,
/// which "try" tells whether it works at all. All know "quit".
namespace waggle::experiment {

/// The hidden first argument; behind it stands the number of the inherited descriptor of the control stream, or two of
/// them, one to read from and one to write to.
inline constexpr const char* kAgentArgument = "__agent";

/// main() of an agent: `argv` is {kAgentArgument, IN[, OUT]}. Returns the exit code: 0 after "quit", 1 when the stream
/// was closed or brought what is no message, 2 without arguments.
int agent_main(int argc, char** argv);

}  // namespace waggle::experiment
