// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/measure/bpf/shared.h"

/// What the harness knows of system calls and of io_uring's operations: their names and where their data goes.
namespace waggle::measure {

using Shapes = std::array<waggle_shape, WAGGLE_SHAPES>;

/// By system call number of this architecture. Calls that move no data have an empty shape.
Shapes system_call_shapes();

/// By io_uring opcode; `from` and `to` are WAGGLE_USER or 1 for the operation's file. Of a splice only the output is
/// known.
Shapes uring_shapes();

/// "sendto+zerocopy", "io_uring:send_zc"; a number without a name is given as "syscall_999".
std::string call_name(std::uint32_t number, waggle_flavour flavour);

/// "file", "socket" …; "" for WAGGLE_NONE.
std::string_view kind_name(waggle_kind kind);

}  // namespace waggle::measure
