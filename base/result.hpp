// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace waggle {

/// What kind of failure an Error is; decides the exit code and what a caller may retry.
enum class Fault {
  usage,      ///< the user asked for something that makes no sense (exit code 2)
  missing,    ///< this machine, kernel or user lacks what is needed (exit code 3)
  not_found,  ///< a file or directory does not exist
  exists,     ///< the name is taken
  denied,     ///< permission, token or path policy says no
  no_space,   ///< disk, quota or memory is full
  changed,    ///< a file changed size or content while it was being moved
  corrupt,    ///< digests differ: what arrived is not what was sent
  peer_gone,  ///< the other side closed, reset or vanished
  timeout,    ///< no progress within the allowed time
  protocol,   ///< the other side broke the protocol
  busy,       ///< address or resource in use, or a limit is reached
  cancelled,  ///< the user interrupted
  io          ///< any other system error
};

std::string_view name(Fault fault);
/// The Fault of that name; Fault::io for names that this version does not know.
Fault fault_named(std::string_view name);

/// A failure as a value: what was tried, on what, why it failed and what the user can do about it.
struct Error {
  Fault fault = Fault::io;
  std::string what;  ///< "cannot open /srv/x: No such file or directory"
  std::string hint;  ///< one imperative sentence for the user, may be empty
  int system = 0;    ///< errno, 0 when none

  /// "what; hint" on one line.
  std::string text() const;
};

template <typename T = void>
using Result = std::expected<T, Error>;

std::unexpected<Error> fail(Fault fault, std::string what, std::string hint = {});

/// "WHAT: strerror(error)"; the Fault follows from errno (ENOENT -> not_found, ENOSPC -> no_space, EPIPE -> peer_gone
/// …).
std::unexpected<Error> fail_errno(std::string what, int error = errno, std::string hint = {});

/// Exit code of the program for an error: 2 usage, 3 missing, 130 cancelled, otherwise 1.
int exit_code(const Error& error);

}  // namespace waggle

#define WAGGLE_JOIN_(a, b) a##b
#define WAGGLE_JOIN(a, b) WAGGLE_JOIN_(a, b)

/// Evaluates a Result and returns its error from the enclosing function, if it has one.
#define WAGGLE_TRY(expression)                                      \
  do {                                                              \
    if (auto waggle_try = (expression); !waggle_try) [[unlikely]] { \
      return std::unexpected(std::move(waggle_try).error());        \
    }                                                               \
  } while (false)

/// Declares `name` from a Result's value, or returns its error: WAGGLE_LET(fd, open_file(path));
#define WAGGLE_LET(name, expression)                                               \
  auto WAGGLE_JOIN(waggle_let_, __LINE__) = (expression);                          \
  if (!WAGGLE_JOIN(waggle_let_, __LINE__)) [[unlikely]] {                          \
    return std::unexpected(std::move(WAGGLE_JOIN(waggle_let_, __LINE__)).error()); \
  }                                                                                \
  auto name = *std::move(WAGGLE_JOIN(waggle_let_, __LINE__))
