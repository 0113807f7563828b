// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "datapaths/datapath.hpp"
#include "protocol/file_service.hpp"

namespace waggle::protocol {

struct Agreement;
class FileBudget;

struct ServerOptions {
  std::string token;  ///< shared secret that clients must prove; empty: anybody may connect
  bool read_only = false;
  std::size_t most_clients = 1024;
  std::size_t most_handles = 4096;         ///< open files per connection
  std::shared_ptr<FileBudget> files = {};  ///< open files of all connections; empty: no limit
  /// Peers that have not proved themselves, at once and how long each at most (Gate).
  std::size_t most_strangers = 1024;
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
};

/// Tells who may come in, as `options` say: each Admission is a ServerHandshake. `options` must outlive the gate.
Gate gate_of(const ServerOptions& options);

/// Serves one connection whose handshake is done until the peer closes or breaks it: joins a ServerSession, a Channel
/// and a FileService. Returns the number of requests served, or why the connection ended early.
Result<std::uint64_t> serve_connection(Channel& channel, FileService& files, const ServerOptions& options,
                                       const Agreement& agreement);

/// Lets clients in and serves each in a thread of its own until stop(). Who is not let in costs no thread.
class Server {
 public:
  /// `make_service` makes one FileService per connection. `on_error` hears, from any thread, why a connection ended
  /// early or a peer was not let in; may be empty. `on_end` hears once, from the thread that accepts, why nobody is let
  /// in any more: the listener has failed for good. Connections that are open stay so. Empty: `on_error` hears it.
  Server(std::unique_ptr<Listener> listener, std::function<std::unique_ptr<FileService>()> make_service,
         ServerOptions options, std::function<void(const Error&)> on_error = {},
         std::function<void(const Error&)> on_end = {});
  ~Server();  ///< stops and joins
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Endpoint endpoint() const;
  /// Ends all connections and joins their threads.
  void stop();
  /// Sums of the channels' own counters, closed connections included.
  Counters counters() const;
  std::size_t connections() const;  ///< open now
  /// Facts of the first connection that was accepted; empty before.
  Facts facts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waggle::protocol
