// SPDX-License-Identifier: BSD-2-Clause
#include "base/result.hpp"

#include <fmt/format.h>

#include <cstring>

namespace waggle {

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::usage: return "usage";
    case Fault::missing: return "missing";
    case Fault::not_found: return "not_found";
    case Fault::exists: return "exists";
    case Fault::denied: return "denied";
    case Fault::no_space: return "no_space";
    case Fault::changed: return "changed";
    case Fault::corrupt: return "corrupt";
    case Fault::peer_gone: return "peer_gone";
    case Fault::timeout: return "timeout";
    case Fault::protocol: return "protocol";
    case Fault::busy: return "busy";
    case Fault::cancelled: return "cancelled";
    case Fault::io: return "io";
  }
  return "io";
}

Fault fault_named(std::string_view wanted) {
  for (int fault = 0; fault < static_cast<int>(Fault::io); ++fault) {
    if (name(static_cast<Fault>(fault)) == wanted) {
      return static_cast<Fault>(fault);
    }
  }
  return Fault::io;
}

namespace {

Fault fault_of(int error) {
  switch (error) {
    case EISDIR:
    case ENAMETOOLONG: return Fault::usage;
    case ENOENT:
    case ENOTDIR: return Fault::not_found;
    case EEXIST:
    case ENOTEMPTY: return Fault::exists;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:  // openat2: the path leaves the served directory
    case ELOOP: return Fault::denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM: return Fault::no_space;
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EHOSTUNREACH:
    case ENETUNREACH: return Fault::peer_gone;
    case ETIMEDOUT:
    case EAGAIN: return Fault::timeout;
    case EADDRINUSE:
    case EMFILE:
    case ENFILE:
    case EBUSY: return Fault::busy;
    default: return Fault::io;
  }
}

}  // namespace

std::string Error::text() const {
  return hint.empty() ? what : fmt::format("{}; {}", what, hint);
}

std::unexpected<Error> fail(Fault fault, std::string what, std::string hint) {
  return std::unexpected(Error{fault, std::move(what), std::move(hint), 0});
}

std::unexpected<Error> fail_errno(std::string what, int error, std::string hint) {
  return std::unexpected(
      Error{fault_of(error), fmt::format("{}: {}", what, std::strerror(error)), std::move(hint), error});
}

int exit_code(const Error& error) {
  switch (error.fault) {
    case Fault::usage: return 2;
    case Fault::missing: return 3;
    case Fault::cancelled: return 130;
    default: return 1;
  }
}

}  // namespace waggle
