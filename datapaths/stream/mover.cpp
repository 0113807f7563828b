// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/mover.hpp"

#include <unistd.h>

#include <cerrno>

namespace waggle::stream {

Result<std::uint64_t> Mover::send(Socket&, const Outgoing&) {
  return fail(Fault::usage, "this mover does not send");
}

Result<> Mover::receive(Socket&, const Incoming&, std::uint64_t) {
  return fail(Fault::usage, "this mover does not receive");
}

Result<std::size_t> read_file(int file, ByteSpan to, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got = ::pread(file, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno("cannot read the file");
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<> write_file(int file, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return fail_errno("cannot write the file", errno, errno == ENOSPC ? "free some space" : "");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

}  // namespace waggle::stream
