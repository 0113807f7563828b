// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/strangers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.hpp"
#include "datapaths/stream/frame.hpp"

namespace waggle::stream {
namespace {

/// How long somebody who was turned away may take to read why, in nanoseconds.
constexpr std::uint64_t kLinger = 2'000'000'000;
/// Most of those at once, and at most half as many as strangers: the oldest of them goes first.
constexpr std::size_t kMostLeaving = 256;
/// Connections taken in before those who are in are heard again.
constexpr int kTakenAtOnce = 64;
constexpr int kHeardAtOnce = 256;
/// Most that is kept of one stranger, in bytes.
constexpr std::size_t kMostHeard = kFrameHeader + kMaxStrangerMessage;

/// False when the peer is gone or does not read: a few messages of its handshake fit any socket.
bool say(int socket, ByteView message) {
  std::array<std::byte, kMostHeard> bytes;
  if (message.size() > kMaxStrangerMessage) {
    return false;
  }
  const auto header = encode(FrameHeader{static_cast<std::uint32_t>(message.size()), false, {}});
  std::ranges::copy(header, bytes.begin());
  std::ranges::copy(message, bytes.begin() + kFrameHeader);
  const std::size_t length = kFrameHeader + message.size();
  return ::send(socket, bytes.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(length);
}

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<std::unique_ptr<Strangers>> Strangers::at(int listening) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.fd = listening}};
  if (!epoll || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listening, &event) != 0) {
    return fail_errno("cannot watch a listening socket");
  }
  return std::unique_ptr<Strangers>(new Strangers(listening, std::move(epoll)));
}

Strangers::Address Strangers::address_of(const sockaddr_storage& peer) {
  Address address{};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    address[10] = address[11] = std::byte{0xff};
    std::memcpy(&address[12], &v4.sin_addr, 4);
  } else if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    const bool on_link = IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
    const bool whole = on_link || IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    std::memcpy(address.data(), &v6.sin6_addr, whole ? 16 : 8);
  }
  return address;
}

Result<Admitted> Strangers::next(const Gate& gate, const Open& open, const std::atomic<bool>& aborted) {
  for (;;) {
    WAGGLE_TRY(wait());
    if (aborted.load()) {
      return fail(Fault::cancelled, "no more connections are accepted");
    }
    expire(gate);
    for (const int socket : std::exchange(ready_, {})) {
      if (socket == listening_) {
        WAGGLE_TRY(take_in(gate));
        continue;
      }
      const auto at = by_socket_.find(socket);
      if (at == by_socket_.end()) {
        continue;  // gone since; what the number was given to meanwhile can be heard without harm
      }
      if (at->second->leaving) {
        drain(at->second);
        continue;
      }
      // Those who are not asked now are asked again: epoll tells for as long as there is something to read.
      WAGGLE_LET(admitted, hear(at->second, gate, open));
      if (admitted) {
        return std::move(*admitted);
      }
    }
  }
}

Result<> Strangers::wait() {
  std::uint64_t next = UINT64_MAX;
  for (const Group* group : {&waiting_, &leaving_}) {
    next = group->empty() ? next : std::min(next, group->front().deadline);
  }
  int timeout = -1;
  if (next != UINT64_MAX) {
    const std::uint64_t now = now_ns();
    timeout = next <= now ? 0 : static_cast<int>(std::min<std::uint64_t>((next - now) / 1'000'000 + 1, INT32_MAX));
  }
  std::array<epoll_event, kHeardAtOnce> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kHeardAtOnce, timeout);
  if (count < 0 && errno != EINTR) {
    return fail_errno("cannot wait for connections");
  }
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    ready_.push_back(events[static_cast<std::size_t>(i)].data.fd);
  }
  return {};
}

void Strangers::expire(const Gate& gate) {
  const std::uint64_t now = now_ns();
  while (!leaving_.empty() && leaving_.front().deadline <= now) {
    forget(leaving_.begin());
  }
  const double seconds = std::chrono::duration<double>(gate.patience).count();
  while (!waiting_.empty() && waiting_.front().deadline <= now) {
    turn_away(waiting_.begin(),
              Error{Fault::timeout, fmt::format("a client did not introduce itself within {:.3g} s", seconds), {}},
              gate);
  }
}

Result<> Strangers::take_in(const Gate& gate) {
  for (int taken = 0; taken < kTakenAtOnce;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    UniqueFd socket(::accept4(listening_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      add(std::move(socket), peer, gate);
      ++taken;
    } else if (errno == EAGAIN) {
      return {};
    } else if (out_of_descriptors(errno)) {
      const int error = errno;
      if (!make_way(gate)) {
        return fail_errno("cannot accept a connection", error, error == EMFILE ? "raise the limit of open files" : "");
      }
    } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == EOPNOTSUPP || errno == EFAULT) {
      return fail_errno("cannot accept a connection");
    } else {
      ++taken;  // a connection that ended before it was accepted is no failure of the listener (man 2 accept)
    }
  }
  return {};
}

void Strangers::add(UniqueFd socket, const sockaddr_storage& peer, const Gate& gate) {
  const auto from = crowd_.try_emplace(address_of(peer)).first;
  ++from->second;
  const auto at =
      waiting_.insert(waiting_.end(), Stranger{.socket = std::move(socket),
                                               .from = from,
                                               .deadline = now_ns() + static_cast<std::uint64_t>(gate.patience.count()),
                                               .admission = gate.admission(),
                                               .bytes = {}});
  if (!watch(at)) {
    forget(at);  // no memory: as if it had never come
    return;
  }
  if (const auto room = gate.room(); !room) {
    turn_away(at, room.error(), gate);
    return;
  }
  while (waiting_.size() > std::max<std::size_t>(1, gate.most_strangers)) {
    turn_away(oldest_of_most(),
              Error{Fault::busy, "the server is busy: too many others wait to be let in", "try again later"}, gate);
  }
}

bool Strangers::watch(Group::iterator at) {
  const int number = at->socket.get();
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.fd = number}};
  by_socket_[number] = at;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event) == 0;
}

/// Looks at every address and at most at every stranger, of whom there are as many as the gate allows.
Strangers::Group::iterator Strangers::oldest_of_most() {
  const auto most = std::ranges::max_element(crowd_, {}, [](const auto& entry) { return entry.second; });
  return std::ranges::find(waiting_, most->second, [](const Stranger& stranger) { return stranger.from->second; });
}

bool Strangers::make_way(const Gate& gate) {
  if (leaving_.empty() && waiting_.empty()) {
    return false;
  }
  if (leaving_.empty()) {
    turn_away(oldest_of_most(), Error{Fault::busy, "the server is busy: it has no more descriptors", "try again later"},
              gate);
  }
  if (!leaving_.empty()) {
    forget(leaving_.begin());
  }
  return true;
}

Result<std::optional<Admitted>> Strangers::hear(Group::iterator at, const Gate& gate, const Open& open) {
  std::array<std::byte, kMostHeard> heard;
  const ssize_t got = ::recv(at->socket.get(), heard.data(), kMostHeard - at->bytes.size(), MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      forget(at);
    }
    return std::nullopt;
  }
  at->bytes.insert(at->bytes.end(), heard.begin(), heard.begin() + got);
  std::size_t used = 0;
  while (at->bytes.size() - used >= kFrameHeader) {
    const ByteView rest = ByteView(at->bytes).subspan(used);
    const auto header = decode(rest.first<kFrameHeader>());
    if (!header) {
      turn_away(at, header.error(), gate);
      return std::nullopt;
    }
    if (header->message > kMaxStrangerMessage) {
      turn_away(
          at,
          Error{Fault::protocol,
                fmt::format("a message of {} bytes is too long for a client that is not let in yet", header->message),
                {}},
          gate);
      return std::nullopt;
    }
    if (rest.size() - kFrameHeader < header->message) {
      break;
    }
    used += kFrameHeader + header->message;
    const auto answer = at->admission->on_message(rest.subspan(kFrameHeader, header->message), header->announces);
    if (answer.verdict == Admission::Verdict::admit) {
      return let_in(at, used, answer.reply, gate, open);
    }
    if (answer.verdict == Admission::Verdict::refuse) {
      turn_away(at, answer.reply, at->admission->failure(), gate);
      return std::nullopt;
    }
    if (!answer.reply.empty() && !say(at->socket.get(), answer.reply)) {
      forget(at);
      return std::nullopt;
    }
  }
  at->bytes.erase(at->bytes.begin(), at->bytes.begin() + static_cast<std::ptrdiff_t>(used));
  return std::nullopt;
}

Result<std::optional<Admitted>> Strangers::let_in(Group::iterator at, std::size_t used, ByteView reply,
                                                  const Gate& gate, const Open& open) {
  if (const auto room = gate.room(); !room) {
    turn_away(at, room.error(), gate);
    return std::nullopt;
  }
  const int number = at->socket.get();
  // For the case that there is no channel for it: its peer hears that like all who are turned away.
  UniqueFd spare(::fcntl(number, F_DUPFD_CLOEXEC, 0));
  if (!spare) {
    turn_away(at, Error{Fault::busy, "the server is busy: it has no more descriptors", "try again later"}, gate);
    return std::nullopt;
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, number, nullptr);
  by_socket_.erase(number);
  auto channel = open(std::move(at->socket), ByteView(at->bytes).subspan(used));
  if (!channel) {
    at->socket = std::move(spare);
    watch(at);
    turn_away(at, channel.error(), gate);
    return std::nullopt;
  }
  std::optional<Admitted> admitted;
  if ((*channel)->send(reply) && (*channel)->flush()) {
    admitted = Admitted{std::move(*channel), std::move(at->admission)};
  }
  uncount(at->from);
  waiting_.erase(at);
  return admitted;
}

void Strangers::drain(Group::iterator at) {
  // With MSG_TRUNC TCP throws bytes away instead of copying them (man 7 tcp).
  const ssize_t got = ::recv(at->socket.get(), nullptr, std::size_t{1} << 20U, MSG_TRUNC | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    forget(at);
  }
}

void Strangers::turn_away(Group::iterator at, const Error& why, const Gate& gate) {
  turn_away(at, at->admission->refusal(why), why, gate);
}

/// A socket that is closed while bytes wait in it is reset, and its peer may lose what was said last: it is read until
/// the peer closes.
void Strangers::turn_away(Group::iterator at, ByteView reply, const Error& why, const Gate& gate) {
  if (gate.refused) {
    gate.refused(why);
  }
  if (!say(at->socket.get(), reply) || ::shutdown(at->socket.get(), SHUT_WR) != 0) {
    forget(at);
    return;
  }
  at->admission.reset();
  at->bytes = {};
  at->leaving = true;
  at->deadline = now_ns() + kLinger;
  uncount(at->from);
  leaving_.splice(leaving_.end(), waiting_, at);
  while (leaving_.size() > std::min(kMostLeaving, std::max<std::size_t>(1, gate.most_strangers / 2))) {
    forget(leaving_.begin());
  }
}

void Strangers::forget(Group::iterator at) {
  by_socket_.erase(at->socket.get());
  if (at->leaving) {
    leaving_.erase(at);
  } else {
    uncount(at->from);
    waiting_.erase(at);
  }
}

void Strangers::uncount(Crowd::iterator from) {
  if (--from->second == 0) {
    crowd_.erase(from);
  }
}

}  // namespace waggle::stream
