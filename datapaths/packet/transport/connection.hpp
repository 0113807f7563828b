// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/tally.hpp"
#include "datapaths/packet/transport/acknowledger.hpp"
#include "datapaths/packet/transport/closing.hpp"
#include "datapaths/packet/transport/handshake.hpp"
#include "datapaths/packet/transport/peer.hpp"
#include "datapaths/packet/transport/receiving.hpp"
#include "datapaths/packet/transport/recovery.hpp"
#include "datapaths/packet/transport/sending.hpp"

namespace waggle::packet {

struct ConnectionOptions {
  bool client = false;
  std::uint64_t id = 0;
  Peer peer;
  std::uint32_t packet = MtuSearch::kBase;  ///< bytes of the largest packet that our port takes
  std::uint32_t window = 1024;              ///< packets that may wait at our port
  std::uint32_t alignment = 1;              ///< payload of DATA packets is a multiple of this, in bytes
  std::string congestion = "cubic";
  Time timeout = 6'000'000'000;      ///< ns of silence after which the peer counts as gone
  Time patience = 0;                 ///< ns in which it must take some of what waits for it; 0: for ever
  bool stranger = false;             ///< until admit(): takes short messages only, and no payload
  std::uint64_t* staging = nullptr;  ///< bytes left for all connections of the host
  std::uint64_t seed = 0;            ///< nobody else may know it
};

/// One end of a connection: bytes and time in, bytes and deadlines out. No descriptor is read or written here, no clock
/// asked; see docs/transport.md. Each part keeps what it decides by (Handshake, Closing, Acknowledger, Receiving,
/// Sending, Recovery); the connection takes packets apart for them, makes packets of what they say, and knows whether
/// it lives.
class Connection {
 public:
  static constexpr Time kAckDelay = Acknowledger::kDelay;
  static constexpr std::size_t kMostUnderWay = Recovery::kMostUnderWay;
  /// Bytes of messages that a stranger may send ahead.
  static constexpr std::uint64_t kStrangerWindow = 8 * 1024;
  static constexpr std::size_t kMostNumbers = Recovery::kMostNumbers;
  static constexpr std::size_t kMostPieces = Receiving::kMostPieces;
  static constexpr std::uint32_t kMostOutbound = Sending::kMostOutbound;

  static Result<std::unique_ptr<Connection>> create(const ConnectionOptions& options, Time now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// For the server: the client's terms, from its HELLO with a valid token.
  void accept(Time now, const Terms& terms);
  /// The peer is no stranger any more.
  void admit();

  enum class State { connecting, established, closing, closed };
  State state() const { return state_; }
  std::uint64_t id() const { return options_.id; }
  const Peer& peer() const { return options_.peer; }
  /// Why it ended early; none while it lives and after an orderly end.
  const std::optional<Error>& failure() const { return failure_; }
  /// The peer has closed in order: nothing more will come.
  bool peer_closed() const { return closing_.peer_closed(); }

  // Bytes in

  /// Takes a packet whose checksum was right and which came from peer(). The payload of DATA, if it is wanted, is to be
  /// put in place before `packet` goes away.
  Placement on_packet(Time now, const Header& header, ByteView packet);
  void on_timer(Time now);
  /// When on_timer() or next_packet() will have something to do without any further cause.
  Time deadline() const;

  // Bytes out

  struct Built {
    std::uint32_t length = 0;  ///< bytes of the packet, sealed unless `extent` is set
    Outbound* extent =
        nullptr;  ///< DATA: read `payload` bytes at `offset` of it (from its start) to kDataHeader, then seal
    std::uint64_t offset = 0;
    std::uint32_t payload = 0;
    bool first = false;  ///< the bytes go out for the first time, in order
  };
  /// Writes the next packet that may be sent now, if any.
  std::optional<Built> next_packet(Time now, ByteSpan room);

  // Messages and extents: see Sending and Receiving

  MessageSender& messages_out() { return sending_.messages(); }
  MessageReceiver& messages_in() { return receiving_.messages(); }
  Outbound& offer(const ExtentId& id, SharedFd file, ExtentDigester* digest) {
    return sending_.offer(id, std::move(file), digest);
  }
  void expect(const Incoming& incoming) { receiving_.expect(incoming); }
  void cancel(const ExtentId& id) { receiving_.cancel(id); }
  void end_receiving() { receiving_.end(); }
  Inbound* announced(std::uint32_t sequence, const ExtentId& id) { return receiving_.announced(sequence, id); }
  Placement rest_of(const Placement& placement) { return receiving_.rest_of(placement); }
  Placement next_staged(Inbound& extent) { return receiving_.next_staged(extent); }
  void delivered(Inbound& extent) { receiving_.delivered(extent); }
  /// The application has consumed messages: the peer may have to be told.
  void consumed(Time now);

  /// Ends the connection once everything was acknowledged, or at once with a reason.
  void close(Time now);
  void abandon(Time now, CloseCode code);
  /// What the peer is told when the connection ends in order: CloseCode::done unless it is to blame.
  void blame(CloseCode code) { closing_.blame(code); }
  /// What a peer is told that asks once more when it is forgotten.
  CloseCode close_code() const {
    return failure_ && closing_.code() == CloseCode::done ? CloseCode::unknown_connection : closing_.code();
  }
  /// Everything is said: forget it.
  bool finished() const { return state_ == State::closed && !closing_.due(); }

  // Measures and tests

  struct Stats {
    std::uint64_t packets_sent = 0, packets_received = 0, retransmissions = 0, lost_packets = 0, spurious_losses = 0,
                  acks_sent = 0, acks_received = 0, duplicates = 0, refused_packets = 0, staging_full = 0,
                  probe_timeouts = 0, window_limited = 0, peer_limited = 0, pacing_limited = 0, mtu_probes = 0,
                  persistent_congestion = 0;
  };
  /// From any thread.
  Stats stats() const;
  /// What is held because of the peer; every number has a bound.
  struct Held {
    std::size_t numbers = 0;   ///< packets whose fate is open, and what was sent since; at most kMostNumbers
    std::size_t outbound = 0;  ///< extents of which not all is acknowledged; kMostOutbound and what is not begun
    std::size_t lost = 0;      ///< pieces to send again; at most kMostNumbers
    std::size_t pieces = 0;    ///< received out of order; at most kMostPieces
    std::size_t messages = 0;  ///< pieces of the message streams; twice MessageReceiver::kMostPieces
    std::size_t received = 0;  ///< ranges of numbers; at most ReceivedNumbers::kMost
    std::uint64_t staged = 0;  ///< bytes; at most half of the host's budget
  };
  Held held() const;
  std::uint32_t packet_size() const { return recovery_.packet_size(); }
  std::uint64_t in_flight() const { return recovery_.in_flight(); }
  std::uint64_t window() const { return recovery_.window(); }
  const RttEstimator& rtt() const { return recovery_.rtt(); }
  const CongestionControl& congestion() const { return recovery_.congestion(); }
  const ReceivedNumbers& received_numbers() const { return acknowledger_.received(); }
  std::uint64_t packet_limit() const { return sending_.packet_limit(); }
  std::uint64_t next_number() const { return recovery_.next(); }

 private:
  explicit Connection(const ConnectionOptions& options, std::unique_ptr<CongestionControl> congestion, Time now);

  // connection.cpp: its life
  void establish(Time now, const Terms& terms);
  void fail_with(Error error);
  void on_silence();
  bool stalled(Time now);
  void break_off(Time now, std::string_view why);

  // connection_receive.cpp: packets taken apart
  bool takes_control(Time now, const Header& header, ByteView packet);
  void on_retry(Time now, ByteView packet);
  void on_close(Time now, ByteView packet);
  void note_received(Time now, const Header& header, bool elicits) {
    last_received_ = now;
    acknowledger_.receive(now, header, elicits);
  }
  Placement on_data(Time now, const Header& header, ByteView packet);
  void on_message(Time now, const Header& header, ByteView packet);
  bool on_ack(Time now, const AckBlock& ack);

  // connection_send.cpp: packets made
  Header header(Type type, std::size_t length, std::uint8_t flags = 0);
  SentPacket& record(Time now, SentPacket::Kind kind, std::size_t size, bool bounded = true);
  std::optional<Built> build_control(Time now, ByteSpan room, Type type, std::size_t length);
  std::optional<Built> build_setup(Time now, ByteSpan room);
  std::optional<Built> build_close(Time now, ByteSpan room);
  std::optional<Built> build_ack(Time now, ByteSpan room);
  std::optional<Built> build_ping(Time now, ByteSpan room);
  std::optional<Built> build_mtu_probe(Time now, ByteSpan room);
  std::optional<Built> build_message(Time now, ByteSpan room);
  std::optional<Built> build_message_piece(Time now, ByteSpan room, MessagePiece piece, std::size_t ack);
  std::optional<Built> build_data(Time now, ByteSpan room);
  std::optional<Built> build_data_piece(Time now, ByteSpan room, const Sending::Piece& piece, bool first);
  std::optional<Built> build_lost(Time now, ByteSpan room, std::uint32_t most);
  std::optional<Built> build_foremost(Time now, ByteSpan room);
  std::optional<Built> build_again(Time now, ByteSpan room, const SentPacket& packet, std::uint32_t most);
  std::optional<Built> build_probe_timeout(Time now, ByteSpan room);
  std::size_t write_ack_now(Time now, ByteSpan to);
  std::uint32_t message_room(ByteSpan room) const;
  std::uint32_t payload_room() const;

  struct Counts {
    Tally packets_sent, packets_received, retransmissions, acks_received, duplicates, refused_packets;
  };

  ConnectionOptions options_;
  State state_ = State::connecting;
  std::optional<Error> failure_;
  Time last_received_;
  Time last_sent_;
  bool ping_due_ = false;
  std::uint32_t since_solicited_ = 0;  // DATA that asked for no ACK
  Counts counts_;

  Handshake handshake_;
  Closing closing_;
  Acknowledger acknowledger_;
  Receiving receiving_;
  Sending sending_;
  Recovery recovery_;
};

}  // namespace waggle::packet
