// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/references.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/unique_fd.hpp"

namespace waggle::measure {
namespace {

/// Less than a socket or a pipe takes at once.
constexpr std::size_t kBytes = 16384;

struct Connection {
  UniqueFd from;
  UniqueFd to;
};

Result<Connection> connection() {
  const UniqueFd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (!listening || ::bind(listening.get(), where, size) != 0 || ::listen(listening.get(), 1) != 0 ||
      ::getsockname(listening.get(), where, &size) != 0) {
    return fail_errno("cannot listen on the loopback");
  }
  Connection made{.from = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), .to = {}};
  // A loopback that is down answers nothing for two minutes.
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(made.from.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (!made.from || ::connect(made.from.get(), where, size) != 0) {
    return fail_errno("cannot connect on the loopback");
  }
  made.to = UniqueFd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!made.to) {
    return fail_errno("cannot accept on the loopback");
  }
  ::setsockopt(made.to.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  return made;
}

Result<UniqueFd> unnamed_file() {
  UniqueFd file(::open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {
    file = UniqueFd(::memfd_create("references", MFD_CLOEXEC));
  }
  if (!file) {
    return fail_errno("cannot make an unnamed file");
  }
  return file;
}

Result<> fill(const UniqueFd& file, char with) {
  const std::vector<char> bytes(kBytes, with);
  if (::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno("cannot write an unnamed file");
  }
  return {};
}

ssize_t by_sendfile(int file, int socket) {
  off_t offset = 0;
  return ::sendfile(socket, file, &offset, kBytes);
}

ssize_t by_splice(int file, int socket) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return -1;
  }
  const UniqueFd out(ends[0]);
  const UniqueFd in(ends[1]);
  loff_t offset = 0;
  const ssize_t filled = ::splice(file, &offset, in.get(), nullptr, kBytes, 0);
  return filled <= 0 ? filled : ::splice(out.get(), nullptr, socket, nullptr, static_cast<std::size_t>(filled), 0);
}

/// Whether what `move` has put into a socket is still the file's pages.
Result<bool> refers(const std::function<ssize_t(int, int)>& move) {
  constexpr char kBefore = 'a';
  constexpr char kAfter = 'b';
  WAGGLE_LET(file, unnamed_file());
  WAGGLE_LET(sockets, connection());
  WAGGLE_TRY(fill(file, kBefore));
  const ssize_t moved = move(file.get(), sockets.from.get());
  if (moved <= 0) {
    return fail_errno("cannot move a file into a socket");
  }
  WAGGLE_TRY(fill(file, kAfter));
  std::vector<char> arrived(static_cast<std::size_t>(moved));
  if (::recv(sockets.to.get(), arrived.data(), arrived.size(), MSG_WAITALL) != moved) {
    return fail_errno("cannot receive on the loopback");
  }
  return std::ranges::all_of(arrived, [](char byte) { return byte == kAfter; });
}

}  // namespace

Result<References> try_references() {
  WAGGLE_LET(sent, refers(by_sendfile));
  WAGGLE_LET(spliced, refers(by_splice));
  return References{.sendfile = sent, .splice = spliced};
}

}  // namespace waggle::measure
