// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/range_set.hpp"

namespace waggle::packet {

/// An extent that is expected or arriving. The transport knows which bytes have come (Receiving); whoever puts them in
/// place digests them and says what the sink does not take. Offsets are bytes from the start of the extent.
class Inbound {
 public:
  const Incoming& incoming() const { return incoming_; }
  /// All below has come, is where it belongs and digested.
  std::uint64_t frontier() const { return frontier_; }
  bool complete() const { return length_ && frontier_ >= *length_; }

  // For its user

  /// Bytes that are still to come of an extent that was announced.
  std::uint64_t missing() const { return *length_ - frontier_; }
  /// Why the file took no more.
  const Result<>& sink() const { return sink_; }
  /// For Sink::view: as much as was expected; valid as long as the extent.
  ByteView view() const { return view_; }
  /// Mirrors the digester that it was expected with, whose owner may use that for many extents.
  ExtentDigester& digester() { return digest_; }
  const ExtentDigester& digester() const { return digest_; }

  // For whoever puts payload in place

  /// For Sink::view: where the bytes from `offset` on go.
  ByteSpan place_at(std::uint64_t offset) { return ByteSpan(view_).subspan(offset); }
  /// The first reason stays.
  void sink_failed(Error why) {
    if (sink_) {
      sink_ = std::unexpected(std::move(why));
    }
  }
  /// Up to where nothing is missing: bytes behind the frontier may have come earlier.
  std::uint64_t reached() const { return received_.contiguous_from(frontier_); }
  /// All below `to` is digested now. Returns where it stood.
  std::uint64_t advance(std::uint64_t to) { return std::exchange(frontier_, to); }

  // For the transport

  /// From now on it is this one, whatever it was before; it keeps its memory.
  void begin(const Incoming& incoming) {
    end();
    incoming_ = incoming;
    if (incoming.digest != nullptr) {
      digest_.mirror(*incoming.digest);
    }
    if (incoming.sink == Incoming::Sink::view) {
      view_.resize(incoming.id.length);
    }
  }
  void end() {
    incoming_ = {};
    sequence_.reset();
    length_.reset();
    received_.clear();
    frontier_ = 0;
    sink_ = {};
  }
  /// Which announced extent it is, once that is known.
  const std::optional<std::uint32_t>& sequence() const { return sequence_; }
  void identify(std::uint32_t sequence) { sequence_ = sequence; }
  bool announced() const { return length_.has_value(); }
  void announce(std::uint32_t sequence, std::uint64_t length) {
    sequence_ = sequence;
    length_ = length;
  }
  /// As announced, or else as expected.
  std::uint64_t length() const { return length_.value_or(incoming_.id.length); }
  /// What was received, in pieces apart from each other.
  const RangeSet& received() const { return received_; }
  void receive(std::uint64_t begin, std::uint64_t end) { received_.add(begin, end); }

 private:
  Incoming incoming_;
  std::optional<std::uint32_t> sequence_;
  std::optional<std::uint64_t> length_;
  RangeSet received_;
  std::uint64_t frontier_ = 0;
  Result<> sink_;
  std::vector<std::byte> view_;
  ExtentDigester digest_{DigestKind::xxh3_128};
};

}  // namespace waggle::packet
