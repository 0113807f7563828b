// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/tcp.hpp"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>

#include "base/resolve.hpp"

namespace waggle::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// How long a peer may leave keep-alive probes unanswered, at least, before it counts as gone.
constexpr nanoseconds kPeerTimeout = std::chrono::seconds(10);

std::string describe(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", endpoint.host.empty() ? "*" : endpoint.host, v6 ? "]" : "",
                     endpoint.port);
}

/// Every link has addresses like fe80::1: the kernel takes one only with its interface (RFC 4007, 6).
bool lacks_zone(const addrinfo& address) {
  if (address.ai_family != AF_INET6) {
    return false;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(*address.ai_addr);
  return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && v6.sin6_scope_id == 0;
}

Result<Addresses> addresses_of(const Endpoint& endpoint, bool to_listen, const std::stop_token& cancel) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
  WAGGLE_LET(addresses, resolve(endpoint.host, std::to_string(endpoint.port), hints, cancel));
  if (lacks_zone(*addresses)) {
    return fail(Fault::usage, fmt::format("{} is an address of a link, and does not say of which", endpoint.host),
                fmt::format("name the interface: [{}%eth0]:{}", endpoint.host, endpoint.port));
  }
  return addresses;
}

Result<> set(int fd, int level, int option, int value, const char* what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
    return fail_errno(fmt::format("cannot set {} to {}", what, value));
  }
  return {};
}

int get(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

std::string congestion_of(int fd) {
  char name[16] = {};
  socklen_t size = sizeof name;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 ? name : "unknown";
}

Result<Mode> set_congestion(int fd, const ChannelOptions& options) {
  const std::string& wanted = options.congestion;
  if (wanted.empty()) {
    return Mode{"congestion", "inherited", congestion_of(fd)};
  }
  // Some algorithms can only be inherited, not chosen, within a network namespace: ask first.
  if (congestion_of(fd) != wanted) {
    ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, wanted.data(), static_cast<socklen_t>(wanted.size()));
  }
  return grant_named({"congestion", wanted, congestion_of(fd)}, options.allow_fallback,
                     "choose one of /proc/sys/net/ipv4/tcp_available_congestion_control");
}

/// The kernel doubles what is asked for, to have room for its own structures (man 7 socket); halved again here.
Result<Mode> set_buffer(int fd, bool to_send, const ChannelOptions& options) {
  const std::uint64_t wanted = to_send ? options.send_buffer : options.receive_buffer;
  const int option = to_send ? SO_SNDBUF : SO_RCVBUF;
  const char* name = to_send ? "send_buffer" : "receive_buffer";
  if (wanted == 0) {
    return Mode{name, "auto", "auto"};
  }
  const int value = static_cast<int>(std::min<std::uint64_t>(wanted, INT32_MAX / 2));
  WAGGLE_TRY(set(fd, SOL_SOCKET, option, value, name));
  if (get(fd, SOL_SOCKET, option) / 2 < value) {
    // Beyond net.core.[rw]mem_max only with CAP_NET_ADMIN; what came of it is read back below.
    ::setsockopt(fd, SOL_SOCKET, to_send ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, &value, sizeof value);
  }
  return grant({name, std::to_string(wanted), std::to_string(get(fd, SOL_SOCKET, option) / 2)}, options.allow_fallback,
               fmt::format("raise net.core.{}mem_max", to_send ? 'w' : 'r'));
}

/// A peer that vanishes without a word must not be waited for: unanswered keep-alive probes end an idle connection (man
/// 7 tcp), and Socket one with data under way. TCP_USER_TIMEOUT would do so too, but ends connections whose peer lives
/// and reads slowly: it counts the time in which the peer's window is full, even while the peer answers.
Result<> notice_vanished_peer(int fd, nanoseconds timeout) {
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(std::max(timeout, kPeerTimeout));
  const int seconds = static_cast<int>(limit.count());
  WAGGLE_TRY(set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"));
  WAGGLE_TRY(set(fd, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, seconds / 2), "TCP_KEEPIDLE"));
  WAGGLE_TRY(set(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, seconds / 10), "TCP_KEEPINTVL"));
  return set(fd, IPPROTO_TCP, TCP_KEEPCNT, 5, "TCP_KEEPCNT");
}

/// Everything that must be set before connect() or listen(); accepted sockets inherit it.
Result<std::vector<Mode>> prepare(int fd, const ChannelOptions& options) {
  std::vector<Mode> modes;
  WAGGLE_LET(congestion, set_congestion(fd, options));
  WAGGLE_LET(send_buffer, set_buffer(fd, true, options));
  WAGGLE_LET(receive_buffer, set_buffer(fd, false, options));
  WAGGLE_TRY(set(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  WAGGLE_TRY(notice_vanished_peer(fd, options.timeout));
  return std::vector<Mode>{congestion, send_buffer, receive_buffer};
}

/// Waits for a connection that is being made and returns its errno, 0 when it stands. Not positive `timeout`: for ever.
int finish_connecting(int fd, nanoseconds timeout, const std::stop_token& cancel) {
  using clock = std::chrono::steady_clock;
  const UniqueFd stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stopped) {
    return errno;
  }
  const std::stop_callback wake(cancel, [&] { ::eventfd_write(stopped.get(), 1); });
  const auto deadline = clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now()).count();
    const int wait = timeout.count() > 0 ? static_cast<int>(std::clamp<std::int64_t>(left, 0, INT32_MAX)) : -1;
    std::array<pollfd, 2> ready{pollfd{fd, POLLOUT, 0}, pollfd{stopped.get(), POLLIN, 0}};
    const int count = ::poll(ready.data(), ready.size(), wait);
    if (cancel.stop_requested()) {
      return ECANCELED;
    }
    if (count > 0) {
      return get(fd, SOL_SOCKET, SO_ERROR);
    }
    if (count == 0) {
      return ETIMEDOUT;
    }
    if (errno != EINTR) {
      return errno;
    }
  }
}

/// The socket is non-blocking: otherwise nobody could call connect() off.
Result<> connect_one(int fd, const addrinfo& address, const Endpoint& to, const ChannelOptions& options) {
  int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    error = finish_connecting(fd, options.timeout, options.cancel);
  }
  if (options.cancel.stop_requested()) {
    return fail(Fault::cancelled, fmt::format("connecting to {} was called off", describe(to)));
  }
  if (error == 0) {
    return {};
  }
  return fail_errno(fmt::format("cannot connect to {}", describe(to)), error,
                    error == ECONNREFUSED ? "start the server, or check the port" : "");
}

Result<> bind_and_listen(int fd, const addrinfo& address, const Endpoint& at) {
  WAGGLE_TRY(set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
  if (address.ai_family == AF_INET6) {
    WAGGLE_TRY(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, at.host.empty() ? 0 : 1, "IPV6_V6ONLY"));
  }
  if (::bind(fd, address.ai_addr, address.ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    if (errno == EADDRINUSE) {
      return fail(Fault::busy, fmt::format("port {} is in use", at.port),
                  "stop what listens there, or choose another port");
    }
    return fail_errno(fmt::format("cannot listen on {}", describe(at)));
  }
  return {};
}

}  // namespace

Result<TcpConnection> connect_tcp(const Endpoint& to, const ChannelOptions& options) {
  WAGGLE_LET(addresses, addresses_of(to, false, options.cancel));
  Result<> last = fail(Fault::not_found, fmt::format("'{}' has no address", to.host));
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    UniqueFd fd(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
    if (!fd) {
      last = fail_errno("cannot make a socket");
      continue;
    }
    WAGGLE_LET(modes, prepare(fd.get(), options));
    last = connect_one(fd.get(), *address, to, options);
    if (last) {
      WAGGLE_LET(socket, Socket::adopt(std::move(fd), options.wait, options.timeout));
      return TcpConnection{std::move(socket), std::move(modes)};
    }
    if (last.error().fault == Fault::cancelled) {
      break;
    }
  }
  return std::unexpected(std::move(last).error());
}

std::vector<Mode> read_again(std::vector<Mode> modes, int fd) {
  for (Mode& mode : modes) {
    if (mode.name == "congestion") {
      mode.granted = congestion_of(fd);
    } else if (mode.requested != "auto" && (mode.name == "send_buffer" || mode.name == "receive_buffer")) {
      mode.granted = std::to_string(get(fd, SOL_SOCKET, mode.name == "send_buffer" ? SO_SNDBUF : SO_RCVBUF) / 2);
    }
  }
  return modes;
}

Result<UniqueFd> listen_tcp(const Endpoint& at, const ChannelOptions& options) {
  WAGGLE_LET(addresses, addresses_of(at, true, options.cancel));
  // One IPv6 socket takes IPv4 as well when all addresses are meant; getaddrinfo may list IPv4 first.
  const addrinfo* chosen = addresses.get();
  for (const addrinfo* address = chosen; at.host.empty() && address != nullptr; address = address->ai_next) {
    chosen = address->ai_family == AF_INET6 ? address : chosen;
  }
  UniqueFd fd(::socket(chosen->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) {
    return fail_errno("cannot make a socket");
  }
  WAGGLE_TRY(prepare(fd.get(), options));
  WAGGLE_TRY(bind_and_listen(fd.get(), *chosen, at));
  return fd;
}

Result<TcpConnection> adopt_tcp(UniqueFd fd, const ChannelOptions& options) {
  WAGGLE_LET(modes, prepare(fd.get(), options));
  WAGGLE_LET(socket, Socket::adopt(std::move(fd), options.wait, options.timeout));
  return TcpConnection{std::move(socket), std::move(modes)};
}

Result<TcpConnection> accept_tcp(int listening, const ChannelOptions& options) {
  for (;;) {
    UniqueFd fd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) {
      return adopt_tcp(std::move(fd), options);
    }
    pollfd ready{listening, POLLIN, 0};
    if (errno == EAGAIN && (::poll(&ready, 1, -1) >= 0 || errno == EINTR)) {
      continue;
    }
    // A connection that ended before it was accepted is no failure of the listener (man 2 accept).
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
      return fail_errno("cannot accept a connection", errno, errno == EMFILE ? "raise the limit of open files" : "");
    }
  }
}

Result<Endpoint> local_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("cannot tell the address of a socket");
  }
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return fail(Fault::io, "cannot name the address of a socket");
  }
  return Endpoint{host, static_cast<std::uint16_t>(std::stoi(port))};
}

}  // namespace waggle::stream
