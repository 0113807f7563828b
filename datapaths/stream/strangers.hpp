// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"

namespace waggle::stream {

/// Everybody who has connected to a listening socket and was not let in yet (docs/decisions/0010-strangers.md). One
/// thread hears all of them, and never waits for one: each has a non-blocking socket, the bytes of one message at most
/// and a deadline that it cannot move. Who is turned away reads why: its socket is kept until it closes, or for
/// kLinger.
class Strangers {
 public:
  /// Makes a channel of a socket whose peer was let in; `ahead` are bytes that came behind its last message.
  using Open = std::function<Result<std::unique_ptr<Channel>>(UniqueFd socket, ByteView ahead)>;

  /// `listening` must be non-blocking and stay open.
  static Result<std::unique_ptr<Strangers>> at(int listening);

  /// Waits until the gate admits somebody. Fault::cancelled after `aborted` was set and the listening socket shut down.
  Result<Admitted> next(const Gate& gate, const Open& open, const std::atomic<bool>& aborted);

 private:
  /// IPv6 as it is, IPv4 mapped into it; of IPv6 the network of 64 bits, since a host has all of it to choose from,
  /// but of a link the whole address: there all hosts share one network (RFC 4291, 2.5.6).
  using Address = std::array<std::byte, 16>;
  static Address address_of(const sockaddr_storage& peer);
  using Crowd = std::map<Address, std::size_t>;  ///< how many come from each

  struct Stranger {
    UniqueFd socket;
    Crowd::iterator from;        ///< as long as it is not leaving
    std::uint64_t deadline = 0;  ///< of now_ns()
    std::unique_ptr<Admission> admission;
    std::vector<std::byte> bytes;  ///< heard and not yet a whole message
    bool leaving = false;
  };
  using Group = std::list<Stranger>;  ///< the oldest, whose deadline is the earliest, first

  Strangers(int listening, UniqueFd epoll) : listening_(listening), epoll_(std::move(epoll)) {}

  Result<> wait();
  void expire(const Gate& gate);
  Result<> take_in(const Gate& gate);
  void add(UniqueFd socket, const sockaddr_storage& peer, const Gate& gate);
  bool watch(Group::iterator at);
  /// Frees a descriptor; false when there is none to free.
  bool make_way(const Gate& gate);
  /// The oldest of all whose address has as many strangers as any.
  Group::iterator oldest_of_most();

  /// Nothing unless the stranger is let in.
  Result<std::optional<Admitted>> hear(Group::iterator at, const Gate& gate, const Open& open);
  Result<std::optional<Admitted>> let_in(Group::iterator at, std::size_t used, ByteView reply, const Gate& gate,
                                         const Open& open);
  void drain(Group::iterator at);
  void turn_away(Group::iterator at, const Error& why, const Gate& gate);
  void turn_away(Group::iterator at, ByteView reply, const Error& why, const Gate& gate);
  void forget(Group::iterator at);
  void uncount(Crowd::iterator from);

  int listening_;
  UniqueFd epoll_;
  Group waiting_;
  Group leaving_;
  std::unordered_map<int, Group::iterator> by_socket_;
  Crowd crowd_;             ///< of waiting_
  std::vector<int> ready_;  ///< sockets with something to read, after wait()
};

}  // namespace waggle::stream
