// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/tally.hpp"
#include "datapaths/packet/file_reader.hpp"
#include "datapaths/packet/file_writer.hpp"
#include "datapaths/packet/port.hpp"
#include "datapaths/packet/strangers.hpp"
#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {

struct Waiter;

struct HostOptions {
  bool listens = false;
  std::size_t most_connections = 16 * 1024;  ///< admitted ones, with those that only say goodbye
  std::size_t most_strangers = 1024;         ///< see limit_strangers()
  std::string congestion = "cubic";
  Time timeout = 6'000'000'000;  ///< ns, see ConnectionOptions
  Time patience = 0;             ///< ns, see ConnectionOptions
  std::uint32_t burst = kMostBurst;
  std::uint32_t window = 0;  ///< packets; 0: what the port can hold
  FileReader::Way read = FileReader::Way::copied;
  std::uint64_t staging = 32 * 1024 * 1024;  ///< bytes
  std::uint64_t seed = 0;                    ///< of what must not be guessed; 0: the system's randomness
};

/// One port and all connections over it: demultiplexes what comes in, reads files into frames that go out and puts
/// payload where it belongs. One thread at a time; time is handed in, so that it also runs on virtual time.
class Host {
 public:
  Host(std::unique_ptr<Port> port, HostOptions options);
  ~Host();

  /// Begins to connect; the connection lives until forget(). `now` in ns.
  Result<Connection*> connect(const Peer& server, Time now) { return connect(server, now, options_.patience); }
  /// With a patience of its own.
  Result<Connection*> connect(const Peer& server, Time now, Time patience);
  /// Peers that want in. Whoever looks after them admits them or turns them away.
  Strangers& strangers() { return strangers_; }
  /// One more than `most` takes the place of another.
  void limit_strangers(std::size_t most) { options_.most_strangers = std::max<std::size_t>(most, 1); }
  /// From now on the connection is its user's, until forget().
  Connection& admit(Strangers::Stranger& stranger);
  /// The peer gets what was said to it, and then an end in order.
  void turn_away(Strangers::Stranger& stranger, Time now);
  /// Takes nobody in any more, and lets all strangers go.
  void stop_listening(Time now);
  /// Admits the next connection that a client has opened; nullptr without any.
  Connection* accepted();
  /// The user is done with it: nothing more is placed, it is closed in order and then goes away.
  void forget(Connection& connection, Time now);
  bool empty() const { return connections_.empty(); }
  /// Whether somebody uses a connection: strangers do not, nor do those that are being closed.
  bool used() const { return users_ > 0; }

  /// Takes in one burst, lets timers go off, sends what may be sent. True when anything happened.
  Result<bool> pump(Time now);
  /// Only sends. Frames wait for a full burst unless `flush`.
  Result<bool> transmit(Time now, bool flush);
  /// The connection has something new to send.
  void wake(Connection& connection);
  /// Who is to be found in roused() when something happens to the connection; until forget().
  void attach(Connection& connection, Waiter& waiter);
  /// When pump() has something to do though nothing comes in.
  Time deadline() const;

  /// Payload that is already there can be put in place now that the extent is known; to be called after expect().
  void place_staged(Connection& connection, Inbound& extent);

  Port& port() { return *port_; }
  const Port& port() const { return *port_; }
  const HostOptions& options() const { return options_; }
  /// To whose connections something happened in the last pump().
  const std::vector<Waiter*>& roused() const { return roused_; }

  struct Stats {
    Tally bad_packets, strange_connections, strange_addresses, tx_stalls, read_back;
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Entry;
  using Connections = std::unordered_map<std::uint64_t, Entry>;
  using Timers = std::multimap<Time, Entry*>;
  struct Entry {
    std::unique_ptr<Connection> connection;
    Waiter* waiter = nullptr;                 // of its user
    Strangers::Stranger* stranger = nullptr;  // until it is admitted
    bool ready = false;                       // in ready_
    bool forgotten = false;                   // by its user
    std::uint64_t touched = 0;                // the pump in which something happened to it
    Entry* next_ready = nullptr;
    Timers::iterator timer;  // in timers_, always
  };
  /// Connections that may have something to send, first come, first served. It never allocates.
  struct ReadyQueue {
    Entry* first = nullptr;
    Entry* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Entry& entry);
    Entry& pop();
  };

  // host.cpp
  Result<bool> receive(Time now);
  void dispatch(Time now, const RxFrame& frame);
  /// `lent`: the payload is gone with the next call on the connection.
  void place(Connection& connection, const Placement& placement, bool lent = false);
  void advance(Connection& connection, Inbound& extent);
  void digest(Inbound& extent, ByteView bytes);
  void digest_run();
  void timers(Time now);
  void touch(Entry& entry);
  void make_ready(Entry& entry);
  void set_timer(Entry& entry, Time at);

  Entry& add(std::uint64_t id, std::unique_ptr<Connection> connection);
  void leave(Entry& entry);
  void remove(Entry& entry);

  // host_setup.cpp
  void on_stranger(Time now, const Header& header, const RxFrame& frame);
  void on_hello(Time now, const Header& header, const RxFrame& frame);
  void make_room(Time now);
  void reply(const Header& to, Type type, const RxFrame& frame, ByteView body);
  ConnectionOptions connection_options(std::uint64_t id, const Peer& peer, bool client);

  // host_transmit.cpp
  bool build(Time now, Entry& entry);
  TxFrame* free_frame();
  Result<bool> flush();

  std::unique_ptr<Port> port_;
  HostOptions options_;
  Capabilities capabilities_;
  RetryTokens tokens_;
  std::uint64_t staging_;
  Connections connections_;
  std::uint64_t latest_id_ = 0;
  Entry* latest_ = nullptr;
  Strangers strangers_;
  struct Closed {
    std::uint64_t id = 0;
    CloseCode code = CloseCode::unknown_connection;
  };
  std::size_t users_ = 0;            // of connections
  std::array<Closed, 64> closed_{};  // those that have gone, newest last, and how they ended
  std::size_t closed_next_ = 0;
  ReadyQueue ready_;
  std::vector<Waiter*> roused_;
  std::uint64_t pumps_ = 0;
  Timers timers_;  // deadlines as they were when the connections had last nothing more to send

  FileReader reader_;
  FileWriter writer_;
  std::vector<std::byte> again_;          // bytes read back for the digest
  std::array<ByteView, kMostBurst> run_;  // bytes in polled frames that go into one digest, in order
  std::size_t run_count_ = 0;
  Inbound* run_extent_ = nullptr;

  std::array<RxFrame, kMostBurst> rx_;
  std::array<TxFrame, kMostBurst> leased_;
  std::size_t leased_next_ = 0;
  std::size_t leased_end_ = 0;
  std::array<TxFrame, kMostBurst> out_;  // the first `built_` may go
  std::size_t built_ = 0;
  std::vector<FileReader::Piece> pieces_;
  Stats stats_;
};

}  // namespace waggle::packet
