// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "datapaths/datapath.hpp"

/// For tests only: a connection inside one process.
namespace waggle::protocol::testing {

/// What may go wrong on one end of a pair, on purpose.
struct Mischief {
  /// Called with every message before it is sent; may change it. Returning false swallows it.
  std::function<bool(std::vector<std::byte>& message)> on_message;
  /// Called with every payload before it is sent; may change its bytes.
  std::function<void(std::vector<std::byte>& payload)> on_payload;
  /// Called before the payload of an extent is read from its file.
  std::function<void()> before_payload;
  /// Result of putting an extent into its sink.
  std::function<Result<>(const Incoming&)> on_sink;
  /// Feed the digester of an Outgoing, as a mover that sees the bytes does.
  bool taps = true;
};

/// Two ends of a connection. Messages and payload travel through unbounded queues; each end may be used by a thread of
/// its own. Breaking the rules of Channel (payload that nobody expects, a message that is too long) is an error.
struct MemoryPair {
  std::unique_ptr<Channel> client;
  std::unique_ptr<Channel> server;
};
MemoryPair make_memory_pair(Mischief client = {}, Mischief server = {});

/// A listener whose connections are made by connect(), from any thread.
class MemoryListener : public Listener {
 public:
  virtual std::unique_ptr<Channel> connect() = 0;
};
std::unique_ptr<MemoryListener> make_memory_listener();

}  // namespace waggle::protocol::testing
