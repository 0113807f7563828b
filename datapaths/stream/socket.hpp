// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/stream/pace.hpp"

namespace waggle::stream {

/// A connected TCP socket. Every system call that moves bytes on it goes through in() or out(), which wait as the
/// channel was told to (asleep, or spinning on a non-blocking socket), time out peers that do not keep up (Pace), name
/// what went wrong and count the bytes, so that the channel knows where in a frame both sides are whatever a mover did.
class Socket {
 public:
  /// Takes over a connected socket. `timeout`: how long a peer may take within a message or a payload, see Pace; not
  /// positive: for ever.
  static Result<Socket> adopt(UniqueFd fd, Wait wait, std::chrono::nanoseconds timeout);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;

  int fd() const { return fd_.get(); }

  /// Repeats `call`, which reads from the socket and returns what such a system call returns (-1 with errno), until it
  /// moved something. Fault::peer_gone when the peer has closed (a call that returned 0).
  template <std::invocable Call>
  Result<std::size_t> in(Call&& call);
  /// The same for a call that writes to the socket; 0 is passed on (the end of a file, with sendfile).
  template <std::invocable Call>
  Result<std::size_t> out(Call&& call);

  /// Receives between one byte and all of `to`.
  Result<std::size_t> receive(ByteSpan to);
  /// Receives and drops `length` bytes, without a copy.
  Result<> drop(std::uint64_t length);
  /// Sends all bytes; `flags` as for send(2).
  Result<> send(ByteView bytes, int flags = 0);
  /// Sends `length` zero bytes.
  Result<> send_zeros(std::uint64_t length);

  /// Receives between two frames: 0 when the peer has closed, nothing when `timeout` (negative: for ever) has passed.
  Result<std::optional<std::size_t>> receive_idle(ByteSpan to, std::chrono::nanoseconds timeout);

  /// Sends no more, and drops what comes until the peer has closed, for `most` at most: a socket that is closed while
  /// bytes wait in it is reset, and its peer may lose what was sent last.
  void linger(std::chrono::nanoseconds most) noexcept;

  /// What is received or sent next begins a message or a payload: time is counted anew.
  void begin_in() { in_.begin(); }
  void begin_out() { out_.begin(); }

  /// The rest that is sent has one time-out in all.
  void finish_out() { out_.finish(); }

  // For movers whose calls do not return byte counts themselves (io_uring), and do their waiting.
  Pace& pace_in() { return in_; }
  Pace& pace_out() { return out_; }
  void count_in(std::size_t bytes) {
    received_ += bytes;
    in_.move(bytes);
  }
  void count_out(std::size_t bytes) {
    sent_ += bytes;
    out_.move(bytes);
  }
  /// How long the next wait may be, at least 1 ns; 0 means for ever. When it is over, overdue() tells what to do.
  std::chrono::nanoseconds patience(const Pace& pace) const;
  std::uint64_t received() const { return received_; }  ///< bytes since the beginning
  std::uint64_t sent() const { return sent_; }          ///< bytes since the beginning

  /// A wait of patience() has run out: whether to give up, with failure(EAGAIN). Asks the kernel what the peer has
  /// acknowledged, when it is the peer that was to take something.
  bool overdue(const Pace& pace);

  /// True once a call failed because of the connection and not because of a file.
  bool broken() const { return broken_; }
  /// The Error for an errno of a call on this socket; notes whether the connection is to blame.
  std::unexpected<Error> failure(int error);
  /// The Error for a connection that the peer has closed.
  std::unexpected<Error> closed();

  /// Whether a call that would have blocked, or has blocked for long enough, is to be tried again.
  bool keeps_trying(Pace& pace);

  /// Ends all pending and later calls; safe from any thread and from a signal handler.
  void abort() noexcept;
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }

 private:
  Socket(UniqueFd fd, Wait wait, std::chrono::nanoseconds timeout)
      : fd_(std::move(fd)), wait_(wait), timeout_(timeout) {}
  Result<bool> ready(short events, std::chrono::nanoseconds timeout);
  Result<> await(short events, const Pace& pace);
  std::chrono::nanoseconds left(const Pace& pace) const;
  std::uint64_t acknowledged() const;
  Result<> still_there();

  template <std::invocable Call>
  Result<std::size_t> repeat(Call& call, short events, Pace& pace) {
    for (;;) {
      if (pace.ticking() && wait_ == Wait::sleep) [[unlikely]] {
        WAGGLE_TRY(await(events, pace));  // for less than the whole time-out that the call itself would wait
      }
      const auto done = call();
      if (done >= 0) [[likely]] {
        pace.move(static_cast<std::size_t>(done));
        return static_cast<std::size_t>(done);
      }
      const int error = errno;
      const bool again = (error == EINTR && !aborted()) || (error == EAGAIN && keeps_trying(pace));
      if (!again) {
        return failure(error);
      }
    }
  }

  UniqueFd fd_;
  Wait wait_;
  std::chrono::nanoseconds timeout_;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  Pace in_;
  Pace out_;
  bool broken_ = false;
  std::atomic<bool> aborted_{false};
};

template <std::invocable Call>
Result<std::size_t> Socket::in(Call&& call) {
  auto done = repeat(call, POLLIN, in_);
  if (done && *done == 0) {
    return closed();
  }
  received_ += done.value_or(0);
  return done;
}

template <std::invocable Call>
Result<std::size_t> Socket::out(Call&& call) {
  auto done = repeat(call, POLLOUT, out_);
  sent_ += done.value_or(0);
  return done;
}

}  // namespace waggle::stream
