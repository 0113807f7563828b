// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/call_table.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <utility>

namespace waggle::measure {
namespace {

struct NamedCall {
  std::uint32_t number;
  std::string_view name;
};

// Made by the build from the headers of this architecture, sorted by name.
constexpr NamedCall kSystemCalls[] = {
#include "system_call_names.inc"
};

constexpr waggle_shape kRead{.from = 1, .to = WAGGLE_USER, .flags = 0, .moves = 1};
constexpr waggle_shape kWrite{.from = WAGGLE_USER, .to = 1, .flags = 0, .moves = 1};

constexpr waggle_shape with_flags(waggle_shape shape, std::uint8_t argument) {
  shape.flags = argument;
  return shape;
}

constexpr std::pair<std::uint32_t, waggle_shape> kMovingCalls[] = {
    {SYS_read, kRead},
    {SYS_pread64, kRead},
    {SYS_readv, kRead},
    {SYS_preadv, kRead},
    {SYS_preadv2, kRead},
    {SYS_recvfrom, with_flags(kRead, 4)},
    {SYS_recvmsg, with_flags(kRead, 3)},
    {SYS_write, kWrite},
    {SYS_pwrite64, kWrite},
    {SYS_writev, kWrite},
    {SYS_pwritev, kWrite},
    {SYS_pwritev2, kWrite},
    {SYS_sendto, with_flags(kWrite, 4)},
    {SYS_sendmsg, with_flags(kWrite, 3)},
    {SYS_vmsplice, kWrite},
    {SYS_sendfile, {.from = 2, .to = 1, .flags = 0, .moves = 1}},
    {SYS_splice, {.from = 1, .to = 3, .flags = 0, .moves = 1}},
    {SYS_tee, {.from = 1, .to = 2, .flags = 0, .moves = 1}},
    {SYS_copy_file_range, {.from = 1, .to = 3, .flags = 0, .moves = 1}},
    {SYS_sendmmsg, {.from = WAGGLE_USER, .to = 1, .flags = 4, .moves = WAGGLE_MESSAGES}},
    {SYS_recvmmsg, {.from = 1, .to = WAGGLE_USER, .flags = 4, .moves = WAGGLE_MESSAGES}},
};

// Opcodes are the kernel's ABI (linux/io_uring.h); headers of older systems know fewer of them than the kernel.
constexpr std::string_view kOperations[] = {
    "nop",
    "readv",
    "writev",
    "fsync",
    "read_fixed",
    "write_fixed",
    "poll_add",
    "poll_remove",
    "sync_file_range",
    "sendmsg",
    "recvmsg",
    "timeout",
    "timeout_remove",
    "accept",
    "async_cancel",
    "link_timeout",
    "connect",
    "fallocate",
    "openat",
    "close",
    "files_update",
    "statx",
    "read",
    "write",
    "fadvise",
    "madvise",
    "send",
    "recv",
    "openat2",
    "epoll_ctl",
    "splice",
    "provide_buffers",
    "remove_buffers",
    "tee",
    "shutdown",
    "renameat",
    "unlinkat",
    "mkdirat",
    "symlinkat",
    "linkat",
    "msg_ring",
    "fsetxattr",
    "setxattr",
    "fgetxattr",
    "getxattr",
    "socket",
    "uring_cmd",
    "send_zc",
    "sendmsg_zc",
    "read_multishot",
    "waitid",
    "futex_wait",
    "futex_wake",
    "futex_waitv",
    "fixed_fd_install",
    "ftruncate",
    "bind",
    "listen",
    "recv_zc",
    "epoll_wait",
    "readv_fixed",
    "writev_fixed",
    "pipe",
};

constexpr std::string_view kReadingOperations[] = {"readv",   "read_fixed",     "read",        "recv",
                                                   "recvmsg", "read_multishot", "readv_fixed", "recv_zc"};
constexpr std::string_view kWritingOperations[] = {"writev",  "write_fixed", "write",      "send",
                                                   "sendmsg", "send_zc",     "sendmsg_zc", "writev_fixed"};
constexpr std::string_view kSplicingOperations[] = {"splice", "tee"};

template <std::size_t N>
bool among(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

}  // namespace

Shapes system_call_shapes() {
  Shapes shapes{};
  for (const auto& [number, shape] : kMovingCalls) {
    shapes[number] = shape;
  }
  return shapes;
}

Shapes uring_shapes() {
  Shapes shapes{};
  for (std::size_t opcode = 0; opcode < std::size(kOperations); ++opcode) {
    const std::string_view name = kOperations[opcode];
    if (among(kReadingOperations, name)) {
      shapes[opcode] = kRead;
    } else if (among(kWritingOperations, name)) {
      shapes[opcode] = kWrite;
    } else if (among(kSplicingOperations, name)) {
      shapes[opcode] = {.from = 0, .to = 1, .flags = 0, .moves = 1};
    }
  }
  return shapes;
}

std::string call_name(std::uint32_t number, waggle_flavour flavour) {
  if (number >= WAGGLE_URING) {
    const std::uint32_t opcode = number - WAGGLE_URING;
    return opcode < std::size(kOperations) ? "io_uring:" + std::string(kOperations[opcode])
                                           : "io_uring:operation_" + std::to_string(opcode);
  }
  const auto* call = std::ranges::find(kSystemCalls, number, &NamedCall::number);
  std::string name = call != std::end(kSystemCalls) ? std::string(call->name) : "syscall_" + std::to_string(number);
  if (flavour == WAGGLE_ZEROCOPY) {
    name += "+zerocopy";
  } else if (flavour == WAGGLE_TRUNCATE) {
    name += "+truncate";
  }
  return name;
}

std::string_view kind_name(waggle_kind kind) {
  switch (kind) {
    case WAGGLE_MEMORY: return "memory";
    case WAGGLE_FILE: return "file";
    case WAGGLE_DIRECT: return "direct";
    case WAGGLE_SOCKET: return "socket";
    case WAGGLE_UDP: return "udp";
    case WAGGLE_XDP: return "xdp";
    case WAGGLE_PACKET: return "packet";
    case WAGGLE_PIPE: return "pipe";
    case WAGGLE_OTHER: return "other";
    default: return "";
  }
}

}  // namespace waggle::measure
