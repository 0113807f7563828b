// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/copies.hpp"

#include <string_view>

namespace waggle::measure {
namespace {

bool sends_without_copy(std::string_view call) {
  return call.ends_with("+zerocopy") || call == "io_uring:send_zc" || call == "io_uring:sendmsg_zc" ||
         call == "vmsplice";
}

}  // namespace

unsigned copies_per_byte(const CallCount& call, const References& references) {
  if (call.to == "memory") {
    return call.from == "file" || call.from == "pipe" || (call.from == "udp" && !call.call.ends_with("+truncate")) ? 1
                                                                                                                   : 0;
  }
  if (call.from == "memory") {
    const bool copying = call.to == "file" || call.to == "pipe" || call.to == "socket" || call.to == "udp";
    return copying && !sends_without_copy(call.call) ? 1 : 0;
  }
  if (call.to == "socket") {
    return (call.from == "file" && !references.sendfile) || (call.from == "pipe" && !references.splice) ? 1 : 0;
  }
  return call.to == "file" ? 1 : 0;
}

KernelCopies derive_copies(const std::vector<CallCount>& calls, Side side, std::uint64_t socket_copied,
                           const References& references) {
  KernelCopies copies{.total = socket_copied, .verification = 0};
  for (const CallCount& call : calls) {
    const std::uint64_t copied = call.bytes * copies_per_byte(call, references);
    copies.total += copied;
    if (side == Side::receiver && call.from == "file" && call.to == "memory") {
      copies.verification += copied;
    }
  }
  return copies;
}

}  // namespace waggle::measure
