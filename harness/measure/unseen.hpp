// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <string>

namespace waggle::measure {

/// What moves payload of a process through rings that it shares with the kernel, as a phrase for people: an AF_XDP
/// socket in copy mode or an AF_PACKET socket, whose frames the kernel copies outside of any system call that tells and
/// past every tracepoint. Empty when it has none. Needs the right to trace the process (pidfd_getfd(2)); without it, or
/// on kernels older than 5.6, nothing is found.
std::string unseen_copies(pid_t process);

}  // namespace waggle::measure
