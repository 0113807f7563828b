// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/testing/raw_peer.hpp"

/// Clients that keep to the bytes on the wire and to nothing else.
namespace waggle::conformance {

using Bytes = std::vector<std::byte>;
using std::chrono::nanoseconds;

/// How much longer all waits are on a slow build or machine: 1, or what WAGGLE_PATIENCE says.
int patience();

struct Heard {
  Bytes message;
  std::optional<ExtentId> announces;
};

/// What every carrier's wire lets a client do. It has no thread: it lives while it is called.
class Outlaw {
 public:
  virtual ~Outlaw() = default;
  /// Sends a message, and says so when an extent is to follow.
  virtual void say(ByteView message, const ExtentId* announces = nullptr) = 0;
  /// Sends the first bytes of a message and no more: the rest is `size` - bytes.size() bytes that never come.
  virtual void begin_to_say(ByteView bytes, std::size_t size) = 0;
  /// A piece of the extent that was announced last, in order where the wire knows only that.
  virtual void pay(const ExtentId& id, std::uint64_t offset, ByteView payload) = 0;
  /// The server's next message; nothing when none came in time, or the server has ended the connection.
  virtual std::optional<Heard> hear(nanoseconds timeout) = 0;
  /// Goes on to live for a while as the carrier demands of the living, and does nothing.
  virtual void linger(nanoseconds time) = 0;
  /// Says that nothing more will come and stays.
  virtual void close_half() = 0;
  virtual bool over() const = 0;  ///< the server has ended the connection
};

/// On a TCP connection. Call where the client is to be: in its namespace.
class StreamOutlaw final : public Outlaw {
 public:
  explicit StreamOutlaw(const Endpoint& server);
  void say(ByteView message, const ExtentId* announces) override;
  void begin_to_say(ByteView bytes, std::size_t size) override;
  void pay(const ExtentId& id, std::uint64_t offset, ByteView payload) override;
  std::optional<Heard> hear(nanoseconds timeout) override;
  void linger(nanoseconds time) override;
  void close_half() override;
  bool over() const override { return over_; }
  /// Any bytes, as long as the server takes them.
  void send(ByteView bytes);

 private:
  bool receive(nanoseconds timeout);
  UniqueFd socket_;
  Bytes input_;
  bool over_ = false;
};

/// On a plain UDP socket, with packets of its own making. Call where the client is to be: in its namespace.
class PacketOutlaw final : public Outlaw {
 public:
  /// Shakes hands; over() when the server does not answer.
  explicit PacketOutlaw(const Endpoint& server, const packet::Terms& terms = packet::testing::RawPeer::kGenerous);
  void say(ByteView message, const ExtentId* announces) override;
  void begin_to_say(ByteView bytes, std::size_t size) override;
  void pay(const ExtentId& id, std::uint64_t offset, ByteView payload) override;
  std::optional<Heard> hear(nanoseconds timeout) override;
  void linger(nanoseconds time) override;
  void close_half() override { raw_.close(packet::CloseCode::done); }
  bool over() const override { return raw_.closed() || !raw_.accepted(); }

  packet::testing::RawPeer& raw() { return raw_; }
  /// From now on packets leave from another port, and come back from there.
  void move();
  /// Takes in what comes for so long, or until all was acknowledged when `settle`.
  void run(nanoseconds time, bool settle = false);

 private:
  void take(nanoseconds timeout);
  /// Until all that left was acknowledged, what is lost goes again; gives up after a while.
  void settle();

  std::vector<UniqueFd> sockets_;  // the last one is sent from
  packet::testing::RawPeer raw_;
  Endpoint server_;
};

}  // namespace waggle::conformance
