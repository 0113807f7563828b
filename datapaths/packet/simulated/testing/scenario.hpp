// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "datapaths/packet/simulated/testing/party.hpp"

namespace waggle::packet::testing {

/// What goes wrong in the middle of a simulated transfer.
enum class Mishap {
  none,
  black_hole,       ///< for a while: the transfer goes on afterwards
  dead,             ///< for ever: both sides must say so
  server_restarts,  ///< the client must say so
  client_vanishes,  ///< the server must say so, and forget it
  address_changes   ///< of the client: refused
};

/// A whole transfer between a client and a server, all of it decided by a seed.
struct Scenario {
  explicit Scenario(std::uint64_t seed);

  std::uint64_t seed;
  Mishap mishap = Mishap::none;
  Time mishap_at = 0;   ///< ns after the beginning
  Time mishap_for = 0;  ///< ns
  /// From then on, in ns after the beginning, no larger packet passes either way; bytes.
  std::vector<std::pair<Time, std::uint32_t>> path_steps;
  Impairments up;  ///< client to server
  Impairments down;
  VirtualNetwork::PortOptions client_port;
  VirtualNetwork::PortOptions server_port;
  HostOptions client;
  HostOptions server;
  std::vector<Job> jobs;
  std::uint64_t bytes = 0;  ///< of all jobs
  std::uint64_t file_size = 0;
  std::size_t concurrency = 1;

  std::string describe() const;
};

/// How a simulated transfer ended.
struct Outcome {
  bool verified = false;  ///< every job, digests equal, content right
  std::string failure;    ///< otherwise: the client's error
  Time took = 0;          ///< ns of virtual time
  std::uint64_t packets = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t spurious = 0;
  std::uint64_t probe_timeouts = 0;
};

/// Runs it and checks every invariant of the transport on the way. Throws a Violation when one is broken.
Outcome run(const Scenario& scenario);

/// Watches the wire: what holds of every packet (docs/transport.md, "Invariants").
class Watcher {
 public:
  explicit Watcher(VirtualNetwork& network);
  /// From now on looks also at the state of this end of a connection.
  void add(Connection& connection, const Peer& at);
  void remove(const Connection& connection);
  /// A host has gone. The next one there knows nothing of its connections, and may begin one anew.
  void forget(const Peer& at);
  /// After every turn of a host.
  void check();

 private:
  struct Stream {  // one direction of a connection
    std::uint64_t last_number = 0;
    bool any = false;
    std::uint64_t floor = 0;
    std::uint64_t packet_limit = 0;
  };
  struct End {
    Connection* connection = nullptr;
    Peer at;
    std::uint64_t in_flight = 0;
    std::uint64_t floor = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t probes = 0;
    std::uint64_t slack = 0;        // bytes that probes may have under way beyond the window
    std::uint64_t slack_until = 0;  // ACKs received
  };
  void see(const VirtualNetwork::Wire& wire);
  void see_ack(Stream& stream, ByteView block);

  std::map<std::pair<std::uint64_t, std::uint64_t>, Stream> streams_;  // by connection and sender
  std::list<End> ends_;
};

}  // namespace waggle::packet::testing
