// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <list>

#include "base/tally.hpp"
#include "datapaths/packet/transport/inbound.hpp"
#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/staging.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// What becomes of payload: it belongs at `offset` of `extent` (from its start), or nothing is to be put in place.
struct Placement {
  Inbound* extent = nullptr;
  std::uint64_t offset = 0;
  ByteView payload = {};
  std::size_t fresh = 0;  ///< so many of the last bytes continue the digest
  ByteView rest = {};     ///< what came in the same packet behind it: see Receiving::rest_of()
  bool taken = true;      ///< false: the peer must send it again
  explicit operator bool() const { return extent != nullptr; }
};

/// The receiving end of the message stream, and the extents that are expected or arriving. Finds the place of payload
/// in whatever order it comes, holds what has no place yet, and bounds all that a peer can make grow.
class Receiving {
 public:
  static constexpr std::size_t kMostPieces = 4096;  ///< of all arriving extents, apart from each other
  /// Extents that payload may be ahead of the one that is delivered next: each is worth a packet at least, and no more
  /// of those are under way.
  static constexpr std::size_t kMostAhead = 1 << 14;

  /// `window`: see MessageReceiver. `budget`: see Staging.
  Receiving(std::uint64_t window, std::uint64_t& budget) : messages_(window), staging_(budget) {}

  MessageReceiver& messages() { return messages_; }
  const MessageReceiver& messages() const { return messages_; }

  /// The payload of a DATA packet.
  Placement on_data(const DataHeader& data, ByteView payload);
  /// What of a packet is still to be put in place: it came with bytes between which others had been received already,
  /// and what was received is not written again. Until it places nothing.
  Placement rest_of(const Placement& placement) {
    // Fills in behind what is here.
    return placement.rest.empty()
               ? Placement()
               : place(*placement.extent, placement.offset + placement.payload.size(), placement.rest, false);
  }
  /// Payload that came early and may be placed now: until it places nothing. The bytes are valid until the next call.
  Placement next_staged(Inbound& extent);

  void expect(const Incoming& incoming);
  /// Takes back the latest expectation of (id.handle, id.offset) that was not announced.
  void cancel(const ExtentId& id);
  /// Drops all expectations and takes no more payload: what still comes is taken and goes nowhere.
  void end();
  /// The next announced extent, with its real length. nullptr when nobody has expected it.
  Inbound* announced(std::uint32_t sequence, const ExtentId& id);
  /// The extent has been handed over; `extent` is forgotten.
  void delivered(Inbound& extent);

  std::size_t pieces() const { return pieces_; }
  std::uint64_t staged() const { return staging_.held(); }  ///< bytes
  const Tally& refused() const { return refused_; }
  const Tally& staging_full() const { return staging_full_; }

 private:
  Inbound* find(const DataHeader& data);
  Inbound* only_one_for(const DataHeader& data);
  Placement place(Inbound& extent, std::uint64_t offset, ByteView payload, bool may_stage);
  Placement place_in_order(Inbound& extent, std::uint64_t offset, ByteView payload, bool may_stage);
  bool takes_piece(const Inbound& extent, std::uint64_t begin, std::uint64_t end) const;
  void add_piece(Inbound& extent, std::uint64_t begin, std::uint64_t end);
  void forget(std::list<Inbound>::iterator extent);

  MessageReceiver messages_;
  std::list<Inbound> inbound_;
  std::list<Inbound> spare_;
  Inbound* latest_ = nullptr;    // where the last payload went
  std::uint32_t delivered_ = 0;  // extents handed over so far
  bool ended_ = false;
  std::size_t pieces_ = 0;  // of all extents, above the first
  Staging staging_;
  Staging::Piece piece_;  // shown by next_staged()
  Tally refused_;
  Tally staging_full_;
};

}  // namespace waggle::packet
