// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/unseen.hpp"

#include <fmt/format.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "base/unique_fd.hpp"

namespace waggle::measure {
namespace {

namespace fs = std::filesystem;

/// Why copies of this socket cannot be seen; empty when they can.
std::string reason(int socket) {
  int family = 0;
  socklen_t length = sizeof family;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0) {
    return {};
  }
  if (family == AF_PACKET) {
    return "AF_PACKET copies frames to and from its ring past every tracepoint";
  }
  xdp_options options{};
  length = sizeof options;
  if (family != AF_XDP || (::getsockopt(socket, SOL_XDP, XDP_OPTIONS, &options, &length) == 0 &&
                           (options.flags & XDP_OPTIONS_ZEROCOPY) != 0)) {
    return {};
  }
  return "AF_XDP in copy mode copies frames to and from the UMEM past every tracepoint";
}

}  // namespace

std::string unseen_copies(pid_t process) {
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!handle) {
    return {};
  }
  std::error_code error;
  for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", process), error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (!fs::read_symlink(entry->path(), gone).string().starts_with("socket:")) {
      continue;
    }
    const int number = std::atoi(entry->path().filename().c_str());
    const UniqueFd socket(static_cast<int>(::syscall(SYS_pidfd_getfd, handle.get(), number, 0)));
    if (std::string why = socket ? reason(socket.get()) : std::string(); !why.empty()) {
      return why;
    }
  }
  return {};
}

}  // namespace waggle::measure
