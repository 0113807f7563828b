// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/socket.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <mutex>

#include "base/clock.hpp"

namespace waggle::stream {
namespace {

using std::chrono::nanoseconds;

/// sendfile and splice have no MSG_NOSIGNAL: a vanished peer must be an error, not the end of the process. A handler
/// that the program chose itself stays.
void ignore_sigpipe() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction current{};
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
      current.sa_handler = SIG_IGN;
      ::sigaction(SIGPIPE, &current, nullptr);
    }
  });
}

Result<> set_timeout(int fd, int option, nanoseconds timeout) {
  const auto micros = std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(timeout).count());
  const timeval value{micros / 1'000'000, micros % 1'000'000};
  if (::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) != 0) {
    return fail_errno("cannot set the time-out of a socket");
  }
  return {};
}

/// How long the first wait for a peer that takes nothing is, see Pace.
constexpr nanoseconds first_look(nanoseconds timeout) {
  return timeout / 4;
}

/// A peer that acknowledges nothing for twice as long, or for two time-outs, has vanished.
constexpr std::chrono::seconds kSilence{10};
/// Probes of a full window without an answer, of which the later ones may be minutes apart.
constexpr unsigned kUnanswered = 3;

tcp_info info_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info : tcp_info{};
}

bool of_connection(int error) {
  switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ETIMEDOUT:
    case EAGAIN:
    case ENOTCONN:
    case ESHUTDOWN:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET: return true;
    default: return false;
  }
}

constexpr std::array<std::byte, 64 * 1024> kZeros{};

}  // namespace

Result<Socket> Socket::adopt(UniqueFd fd, Wait wait, nanoseconds timeout) {
  ignore_sigpipe();
  if (::fcntl(fd.get(), F_SETFL, wait == Wait::spin ? O_NONBLOCK : 0) != 0) {
    return fail_errno("cannot choose whether a socket blocks");
  }
  if (wait == Wait::sleep && timeout.count() > 0) {
    WAGGLE_TRY(set_timeout(fd.get(), SO_RCVTIMEO, timeout));
    WAGGLE_TRY(set_timeout(fd.get(), SO_SNDTIMEO, first_look(timeout)));
  }
  return Socket(std::move(fd), wait, timeout);
}

Socket::Socket(Socket&& other) noexcept
    : fd_(std::move(other.fd_)),
      wait_(other.wait_),
      timeout_(other.timeout_),
      received_(other.received_),
      sent_(other.sent_),
      in_(other.in_),
      out_(other.out_),
      broken_(other.broken_),
      aborted_(other.aborted_.load()) {}

bool Socket::keeps_trying(Pace& pace) {
  if (aborted()) {
    return false;
  }
  if (wait_ == Wait::spin) {
    pace.tick();
    return timeout_.count() <= 0 || left(pace).count() > 0 || !overdue(pace);
  }
  return timeout_.count() > 0 && &pace == &out_ && !overdue(pace);
}

nanoseconds Socket::left(const Pace& pace) const {
  return pace.left(&pace == &out_ && !pace.looked() ? first_look(timeout_) : timeout_);
}

nanoseconds Socket::patience(const Pace& pace) const {
  return timeout_.count() <= 0 ? nanoseconds(0) : std::max(left(pace), nanoseconds(1));
}

bool Socket::overdue(const Pace& pace) {
  if (&pace == &out_) {
    out_.look(acknowledged());
    return out_.left(timeout_).count() == 0;
  }
  return true;
}

std::uint64_t Socket::acknowledged() const {
  return info_of(fd()).tcpi_bytes_acked;
}

/// A peer that has vanished acknowledges nothing that was sent, and answers no probe of its full window. While nothing
/// of the kind is under way, keep-alive probes find out.
Result<> Socket::still_there() {
  const tcp_info info = info_of(fd());
  const auto limit = 2 * std::max<nanoseconds>(timeout_, kSilence);
  const bool asked = info.tcpi_unacked > 0 || info.tcpi_probes >= kUnanswered;
  if (asked && std::chrono::milliseconds(info.tcpi_last_ack_recv) > limit) {
    return failure(ETIMEDOUT);
  }
  return {};
}

std::unexpected<Error> Socket::failure(int error) {
  if (aborted()) {
    broken_ = true;
    return fail(Fault::cancelled, "the connection was ended from this side");
  }
  broken_ = broken_ || of_connection(error);
  if (error == EAGAIN) {
    return fail(Fault::timeout,
                fmt::format("the peer was silent, or nearly so, for {:.3g} s", 1e-9 * double(timeout_.count())));
  }
  if (error == ETIMEDOUT) {
    return fail(Fault::timeout, "the peer does not answer any more");
  }
  return fail_errno(of_connection(error) ? "the connection is lost" : "cannot move bytes", error);
}

std::unexpected<Error> Socket::closed() {
  broken_ = true;
  if (aborted()) {
    return failure(EPIPE);
  }
  return fail(Fault::peer_gone, "the peer closed the connection");
}

Result<std::size_t> Socket::receive(ByteSpan to) {
  return in([&] { return ::recv(fd(), to.data(), to.size(), 0); });
}

Result<> Socket::drop(std::uint64_t length) {
  while (length > 0) {
    // With MSG_TRUNC TCP throws bytes away instead of copying them (man 7 tcp).
    WAGGLE_LET(dropped,
               in([&] { return ::recv(fd(), nullptr, std::min<std::uint64_t>(length, 1U << 30), MSG_TRUNC); }));
    length -= dropped;
  }
  return {};
}

Result<> Socket::send(ByteView bytes, int flags) {
  while (!bytes.empty()) {
    WAGGLE_LET(sent, out([&] { return ::send(fd(), bytes.data(), bytes.size(), flags | MSG_NOSIGNAL); }));
    bytes = bytes.subspan(sent);
  }
  return {};
}

Result<> Socket::send_zeros(std::uint64_t length) {
  while (length > 0) {
    const auto piece = std::min<std::uint64_t>(length, kZeros.size());
    WAGGLE_TRY(send(ByteView(kZeros).first(piece)));
    length -= piece;
  }
  return {};
}

Result<bool> Socket::ready(short events, nanoseconds timeout) {
  pollfd watched{fd(), events, 0};
  const timespec limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
  const int count = ::ppoll(&watched, 1, &limit, nullptr);
  if (count < 0 && errno != EINTR) {
    return failure(errno);
  }
  return count != 0;  // after a signal the caller looks for itself and comes back
}

Result<> Socket::await(short events, const Pace& pace) {
  while (timeout_.count() > 0) {
    WAGGLE_LET(arrived, ready(events, left(pace)));
    if (arrived) {
      break;
    }
    if (overdue(pace)) {
      return failure(EAGAIN);
    }
  }
  return {};
}

Result<std::optional<std::size_t>> Socket::receive_idle(ByteSpan to, nanoseconds timeout) {
  const std::uint64_t start = wait_ == Wait::spin && timeout.count() != 0 ? now_ns() : 0;
  nanoseconds looked{0};  // since `start`, when still_there() was asked; only while spinning
  for (;;) {
    // A blocking recv() ends by itself after timeout_: waits that are longer than that need no poll().
    const bool sleeping =
        wait_ == Wait::sleep && (timeout.count() < 0 || (timeout_.count() > 0 && timeout >= timeout_));
    if (wait_ == Wait::sleep && !sleeping && timeout.count() != 0) {
      WAGGLE_LET(arrived, ready(POLLIN, timeout));
      if (!arrived && !aborted()) {
        return std::nullopt;
      }
    }
    const ssize_t got = ::recv(fd(), to.data(), to.size(), sleeping ? 0 : MSG_DONTWAIT);
    if (got > 0) {
      received_ += static_cast<std::size_t>(got);
      in_.begin();
      return static_cast<std::size_t>(got);
    }
    if (got == 0) {
      return aborted() ? Result<std::optional<std::size_t>>(failure(EPIPE)) : std::optional<std::size_t>(0);
    }
    if ((errno != EAGAIN && errno != EINTR) || aborted()) {
      return failure(errno);
    }
    if (timeout.count() == 0) {
      return std::nullopt;
    }
    const bool slept = sleeping && errno == EAGAIN;
    if (wait_ == Wait::spin) {
      const nanoseconds spent(now_ns() - start);
      if (timeout.count() > 0 && spent >= timeout) {
        return std::nullopt;
      }
      if (timeout_.count() > 0 && spent - looked >= timeout_) {
        looked = spent;
        WAGGLE_TRY(still_there());
      }
    } else if (slept) {
      WAGGLE_TRY(still_there());
      if (timeout.count() > 0) {
        timeout -= timeout_;
        if (timeout.count() == 0) {
          return std::nullopt;
        }
      }
    }
  }
}

void Socket::linger(nanoseconds most) noexcept {
  const std::uint64_t deadline = now_ns() + static_cast<std::uint64_t>(most.count());
  ::shutdown(fd(), SHUT_WR);
  for (std::uint64_t now = now_ns(); now < deadline && !aborted(); now = now_ns()) {
    pollfd watched{fd(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>((deadline - now) / 1'000'000 + 1)) <= 0 && errno != EINTR) {
      return;
    }
    const ssize_t got = ::recv(fd(), nullptr, std::size_t{1} << 30U, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      return;
    }
  }
}

void Socket::abort() noexcept {
  aborted_.store(true);
  ::shutdown(fd_.get(), SHUT_RDWR);
}

}  // namespace waggle::stream
