// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/tally.hpp"
#include "datapaths/packet/transport/congestion.hpp"
#include "datapaths/packet/transport/extents.hpp"
#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/mtu_search.hpp"
#include "datapaths/packet/transport/pacer.hpp"
#include "datapaths/packet/transport/received_numbers.hpp"
#include "datapaths/packet/transport/retry_token.hpp"
#include "datapaths/packet/transport/rtt.hpp"
#include "datapaths/packet/transport/sent_packets.hpp"
#include "datapaths/packet/transport/wire.hpp"

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
/// asked. Loss detection and timers follow RFC 9002, with a reordering threshold that adapts; see docs/transport.md.
class Connection {
 public:
  static constexpr Time kAckDelay = 1'000'000;           ///< ns that an ACK may wait
  static constexpr std::size_t kMostUnderWay = 1 << 14;  ///< packets whose fate is open
  /// Bytes of messages that a stranger may send ahead.
  static constexpr std::uint64_t kStrangerWindow = 8 * 1024;
  static constexpr std::size_t kMostNumbers = 1 << 15;  ///< those, and what was sent since that nobody acknowledges
  static constexpr std::size_t kMostPieces = 4096;      ///< of all arriving extents, apart from each other
  static constexpr std::uint32_t kMostOutbound = 1024;  ///< extents of which not all is acknowledged

  static Result<std::unique_ptr<Connection>> create(const ConnectionOptions& options, Time now);
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
  bool peer_closed() const { return peer_closed_; }

  // Bytes in

  /// Payload that belongs at `offset` of the extent (from its start). With `fresh` > 0 the last `fresh` bytes continue
  /// the digest.
  struct Placement {
    Inbound* extent = nullptr;
    std::uint64_t offset = 0;
    ByteView payload;
    std::size_t fresh = 0;
    ByteView rest = {};  ///< what came in the same packet behind it: see rest_of()
  };
  /// Takes a packet whose checksum was right and which came from peer(). The payload of DATA, if it is wanted, is to be
  /// put in place before `packet` goes away.
  std::optional<Placement> on_packet(Time now, const Header& header, ByteView packet);
  /// What of a packet is still to be put in place: it came with bytes between which others had been received already,
  /// and what was received is not written again. Until it returns nothing.
  std::optional<Placement> rest_of(const Placement& placement);
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
  // Messages and extents

  MessageSender& messages_out() { return messages_out_; }
  MessageReceiver& messages_in() { return messages_in_; }
  /// Begins to send an extent, which the message stream must announce in the same order. Valid until it is over().
  Outbound& offer(const ExtentId& id, SharedFd file, ExtentDigester* digest);
  void expect(const Incoming& incoming);
  /// Takes back the latest expectation of (id.handle, id.offset) that was not announced.
  void cancel(const ExtentId& id);
  /// Drops all expectations and takes no more payload: what still comes is acknowledged and goes nowhere.
  void end_receiving();
  /// The next announced extent, with its real length. nullptr when nobody has expected it.
  Inbound* announced(std::uint32_t sequence, const ExtentId& id);
  /// Moves on to payload that came early and may be placed now: call until it returns nothing. The bytes are valid
  /// until the next call.
  std::optional<Placement> next_staged(Inbound& extent);
  /// The extent has been handed over; `extent` is forgotten.
  void delivered(Inbound& extent);
  /// The application has consumed messages: the peer may have to be told.
  void consumed(Time now);

  /// Ends the connection once everything was acknowledged, or at once with a reason.
  void close(Time now);
  void abandon(Time now, CloseCode code);
  /// What the peer is told when the connection ends in order: CloseCode::done unless it is to blame.
  void blame(CloseCode code) { close_code_ = code; }
  /// What a peer is told that asks once more when it is forgotten.
  CloseCode close_code() const {
    return failure_ && close_code_ == CloseCode::done ? CloseCode::unknown_connection : close_code_;
  }
  /// Everything is said: forget it.
  bool finished() const;

  // Measures and tests

  struct Stats {
    Tally packets_sent, packets_received, retransmissions, lost_packets, spurious_losses, acks_sent, acks_received,
        duplicates, refused_packets, staging_full, probe_timeouts, window_limited, peer_limited, pacing_limited,
        mtu_probes, persistent_congestion;
  };
  const Stats& stats() const { return stats_; }
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
  std::uint32_t packet_size() const { return mtu_.packet(); }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t window() const { return window_; }
  const RttEstimator& rtt() const { return rtt_; }
  const CongestionControl& congestion() const { return *congestion_; }
  const ReceivedNumbers& received_numbers() const { return received_; }
  std::uint64_t packet_limit() const { return packet_limit_; }
  std::uint64_t next_number() const { return sent_.next(); }

 private:
  explicit Connection(const ConnectionOptions& options, std::unique_ptr<CongestionControl> congestion, Time now);

  // connection.cpp: set-up, timers, end
  void set_terms(Time now, const Terms& terms);
  void fail_with(Error error);
  std::uint64_t owed() const;
  void watch_progress(Time now);
  void break_off(Time now, std::string_view why);
  void on_retry(Time now, ByteView packet);
  void on_close(Time now, ByteView packet);
  /// The probe timeout; never while the time threshold of loss detection has a timer (RFC 9002, 6.2.1).
  Time probe_at() const;

  // connection_receive.cpp
  bool takes_control(Time now, const Header& header, ByteView packet);
  void note_received(Time now, const Header& header, bool elicits);
  std::optional<Placement> on_data(Time now, const Header& header, ByteView packet);
  Inbound* find(const DataHeader& data);
  Inbound* only_one_for(const DataHeader& data);
  std::optional<Placement> place(Inbound& extent, std::uint64_t offset, ByteView payload, bool may_stage, bool& taken);
  bool takes_piece(const Inbound& extent, std::uint64_t begin, std::uint64_t end) const;
  void add_piece(Inbound& extent, std::uint64_t begin, std::uint64_t end);
  void forget(std::list<Inbound>::iterator extent);
  void on_message(Time now, const Header& header, ByteView packet);

  // connection_recovery.cpp
  bool on_ack(Time now, const AckBlock& ack);
  bool honest(const AckBlock& ack) const;
  void suspect(Time now, const SentPacket& packet);
  void leave_black_hole(Time now);
  /// What an ACK says that none has said before.
  struct News {
    bool acknowledged = false;  ///< something that was under way
    bool forgiven = false;      ///< something that was taken for lost
    std::uint64_t bytes = 0;    ///< of what was under way
    std::uint64_t largest = 0;  ///< number of that
  };
  void on_news(Time now, const AckBlock& ack, const News& news);
  void acknowledge(std::uint64_t number, News& news);
  void arrived(const SentPacket& packet, Outbound* extent);
  void forgive(std::uint64_t number, const SentPacket& packet);
  void detect_losses(Time now);
  void lose(SentPacket& packet);
  void refresh(Time now);

  // connection_send.cpp
  bool window_open(Time now, std::size_t bytes);
  std::optional<Built> build_message(Time now, ByteSpan room);
  std::optional<Built> build_data(Time now, ByteSpan room);
  std::optional<Built> build_data_piece(Time now, ByteSpan room, Outbound& extent, std::uint64_t offset,
                                        std::uint32_t length, bool first);
  std::optional<Built> build_message_piece(Time now, ByteSpan room, MessagePiece piece, std::size_t ack);
  std::optional<Built> build_ack(Time now, ByteSpan room);
  std::optional<Built> build_control(Time now, ByteSpan room, Type type, std::size_t length);
  std::optional<Built> build_setup(Time now, ByteSpan room);
  std::optional<Built> build_close(Time now, ByteSpan room);
  std::optional<Built> build_probe_timeout(Time now, ByteSpan room);
  std::optional<Built> build_mtu_probe(Time now, ByteSpan room);
  bool may_probe() const { return sent_.next() < packet_limit_ && !sent_.full(); }
  SentPacket& record(Time now, SentPacket::Kind kind, std::size_t size, bool bounded = true);
  Header header(Type type, std::size_t length, std::uint8_t flags = 0);
  void leave_out_number();
  std::uint32_t message_room(ByteSpan room) const;
  std::optional<Built> build_ping(Time now, ByteSpan room);
  Outbound& first_lost();
  std::optional<Built> build_lost(Time now, ByteSpan room, std::uint32_t most);
  std::optional<Built> build_foremost(Time now, ByteSpan room);
  std::uint32_t payload_room() const;
  AckBlock ack_block(Time now) const;
  void acked(Time now);
  /// A peer that acknowledges all extents but the first is sent no more until it does.
  bool more_data() const {
    return (cursor_ != next_outbound_ && cursor_ - first_outbound_ < kMostOutbound) || lost_extents_ > 0;
  }
  Outbound* outbound(std::uint32_t sequence);
  void tidy_outbound();

  ConnectionOptions options_;
  State state_ = State::connecting;
  std::optional<Error> failure_;
  Stats stats_;

  // Set-up and end
  std::array<std::byte, RetryTokens::kSize> token_{};
  bool has_token_ = false;
  bool accept_due_ = false;
  Time hello_at_ = 0;
  Time hello_wait_ = 50'000'000;
  Time started_ = 0;
  bool peer_closed_ = false;
  bool close_due_ = false;
  bool close_answered_ = false;
  CloseCode close_code_ = CloseCode::done;
  std::uint32_t closes_sent_ = 0;
  Time close_at_ = kNever;     // when CLOSE is sent again
  Time close_limit_ = kNever;  // when waiting for acknowledgements ends

  // Receiving
  ReceivedNumbers received_;
  Time last_received_ = 0;
  Time largest_at_ = 0;
  std::uint32_t unacknowledged_ = 0;
  bool ack_now_ = false;
  Time ack_at_ = kNever;
  std::uint64_t advertised_ = 0;          // message limit that the peer knows
  std::uint64_t advertised_packets_ = 0;  // packet limit that it knows
  MessageReceiver messages_in_;
  std::list<Inbound> inbound_;
  std::list<Inbound> spare_;
  Inbound* latest_ = nullptr;    // where the last payload went
  std::uint32_t delivered_ = 0;  // extents handed over so far
  bool receiving_ = true;        // until end_receiving()
  std::size_t pieces_ = 0;       // of all extents, above the first
  Staging staging_;
  Staging::Piece piece_;  // shown by next_staged()

  // Sending
  SentPackets sent_;
  MessageSender messages_out_;
  std::deque<Outbound> outbound_;
  std::uint32_t first_outbound_ = 0;  // sequence of outbound_.front()
  std::uint32_t next_outbound_ = 0;
  std::uint32_t cursor_ = 0;        // first extent with bytes that were never sent
  std::uint32_t lost_extents_ = 0;  // extents with bytes to send again
  std::uint32_t first_lost_ = 0;    // no extent before it has any
  std::uint64_t packet_limit_ = 0;  // the peer's
  std::uint64_t message_limit_ = 0;
  std::uint32_t since_solicited_ = 0;
  std::uint64_t told_ = 0;           // the peer may hold all numbers below for received
  std::uint64_t left_out_ = kNever;  // the number that was left out last
  std::uint64_t skip_at_ = 0;        // the next one
  std::uint64_t skip_within_ = 256;
  Time last_sent_ = 0;
  bool ping_due_ = false;
  std::uint64_t progress_ = 0;      // bytes of messages and extents that were acknowledged so far
  std::uint64_t progress_due_ = 0;  // what it must come to
  Time stall_at_ = kNever;          // by when

  // Recovery
  RttEstimator rtt_;
  std::unique_ptr<CongestionControl> congestion_;
  Pacer pacer_;
  Time pace_at_ = kNever;  // when the pacer lets the next packet go, if it held one back
  MtuSearch mtu_;
  std::uint64_t window_ = 0;     // congestion_->window(), bytes
  std::uint64_t in_flight_ = 0;  // bytes
  std::uint64_t under_way_ = 0;  // packets
  std::uint64_t probing_ = 0;    // those of them that are MTU probes
  std::uint64_t largest_acknowledged_ = 0;
  bool anything_acknowledged_ = false;
  Time last_elicited_ = 0;  // when the last packet was sent that asks for an ACK
  Time loss_at_ = kNever;
  std::uint32_t timeouts_ = 0;       // in a row
  std::uint32_t probes_ = 0;         // to be sent whatever the window
  std::uint64_t threshold_ = 3;      // packets; grows with observed reordering
  std::uint64_t limited_until_ = 0;  // numbers below were sent while the window was what held us back
  std::uint64_t floor_ = 0;          // all below is acknowledged
  std::uint32_t black_size_ = 0;     // packets of this size and above vanish while smaller ones arrive; 0: they do not
  std::uint32_t black_rounds_ = 0;   // as many times in a row
  Time black_at_ = 0;                // the last time
  std::uint64_t open_ = 0;           // no number below is under way
  Time first_sample_at_ = kNever;    // of the RTT
  // The losses behind the last cut of the window, MTU probes apart: it is undone when all of them were none.
  std::uint32_t loss_round_ = 0;  // counts rounds of loss detection
  std::uint32_t cut_round_ = 0;   // the one of the last cut
  std::uint64_t lost_since_cut_ = 0;
  std::uint64_t forgiven_since_cut_ = 0;
};

}  // namespace waggle::packet
