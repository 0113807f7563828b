// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/receiving.hpp"

#include <algorithm>
#include <utility>

namespace waggle::packet {
namespace {

/// The place of what must come again.
Placement again(Tally& count) {
  ++count;
  return {.taken = false};
}

}  // namespace

Placement Receiving::on_data(const DataHeader& data, ByteView payload) {
  if (ended_ || before(data.extent, delivered_)) {
    return {};  // a copy of what was handed over already
  }
  Inbound* extent = find(data);
  if (extent == nullptr) {
    if (data.extent - delivered_ >= kMostAhead || !staging_.put({data.extent, data.offset}, data.handle, payload)) {
      return again(staging_full_);
    }
    return {};
  }
  const ExtentId& id = extent->incoming().id;
  const std::uint64_t length = extent->length();
  const std::uint64_t offset = data.offset - id.offset;
  if (data.handle != id.handle || data.offset < id.offset || offset > length || payload.size() > length - offset) {
    return again(refused_);
  }
  return place(*extent, offset, payload, true);
}

/// Whether one more piece may be remembered: what lies apart from all that is here is bounded, and what is filled in is
/// always welcome.
bool Receiving::takes_piece(const Inbound& extent, std::uint64_t begin, std::uint64_t end) const {
  return pieces_ < kMostPieces || extent.received().empty() || extent.received().touches(begin, end);
}

void Receiving::add_piece(Inbound& extent, std::uint64_t begin, std::uint64_t end) {
  pieces_ -= extent.received().size();
  extent.receive(begin, end);
  pieces_ += extent.received().size();
}

/// Decides what becomes of payload inside an extent. What was received is not placed a second time: the sender has read
/// its file again, which may have changed, and the digest knows the first bytes.
Placement Receiving::place(Inbound& extent, std::uint64_t offset, ByteView payload, bool may_stage) {
  if (extent.incoming().sink == Incoming::Sink::discard) {
    return place_in_order(extent, offset, payload, may_stage);
  }
  const std::uint64_t end = offset + payload.size();
  const auto missing = extent.received().missing(offset, end);
  if (missing.begin >= missing.end) {
    return {};
  }
  if (may_stage && !takes_piece(extent, missing.begin, missing.end)) {
    return again(refused_);
  }
  add_piece(extent, missing.begin, missing.end);
  Placement placement{.extent = &extent,
                      .offset = missing.begin,
                      .payload = payload.subspan(missing.begin - offset, missing.end - missing.begin),
                      .fresh = 0,
                      .rest = payload.subspan(missing.end - offset)};
  if (missing.begin == extent.frontier()) {
    placement.fresh = placement.payload.size();
    extent.advance(missing.end);
  }
  return placement;
}

/// For a sink that keeps nothing: the digest wants the bytes in order.
Placement Receiving::place_in_order(Inbound& extent, std::uint64_t offset, ByteView payload, bool may_stage) {
  const std::uint64_t end = offset + payload.size();
  if (offset > extent.frontier()) {
    const ExtentId& id = extent.incoming().id;
    const bool taken = extent.received().contains(offset, end) ||
                       (may_stage && takes_piece(extent, offset, end) &&
                        staging_.put({*extent.sequence(), id.offset + offset}, id.handle, payload));
    if (!taken) {
      return again(staging_full_);
    }
    add_piece(extent, offset, end);
    return {};
  }
  add_piece(extent, offset, end);
  if (end <= extent.frontier()) {
    return {};
  }
  return {.extent = &extent, .offset = offset, .payload = payload, .fresh = end - extent.advance(end)};
}

Inbound* Receiving::find(const DataHeader& data) {
  if (latest_ != nullptr && latest_->sequence() == data.extent) [[likely]] {
    return latest_;
  }
  for (Inbound& extent : inbound_) {
    if (extent.sequence() == data.extent) {
      return latest_ = &extent;
    }
  }
  // Not announced yet, or its announcement is late.
  if (Inbound* extent = only_one_for(data)) {
    extent->identify(data.extent);
    return latest_ = extent;
  }
  return nullptr;
}

/// The expectation that a packet can only be meant for. With several, the announcement tells: one of them may be
/// answered by an error, and its file must not get what is meant for another.
Inbound* Receiving::only_one_for(const DataHeader& data) {
  Inbound* only = nullptr;
  for (Inbound& extent : inbound_) {
    const ExtentId& id = extent.incoming().id;
    if (!extent.sequence() && id.handle == data.handle && data.offset >= id.offset &&
        data.offset - id.offset < id.length) {
      if (only != nullptr) {
        return nullptr;
      }
      only = &extent;
    }
  }
  return only;
}

void Receiving::expect(const Incoming& incoming) {
  if (spare_.empty()) {
    spare_.emplace_back();
  }
  inbound_.splice(inbound_.end(), spare_, spare_.begin());
  inbound_.back().begin(incoming);
}

void Receiving::cancel(const ExtentId& id) {
  // Also one that payload has come for: its owner lets go of the digester.
  const auto found = std::ranges::find_if(inbound_.rbegin(), inbound_.rend(), [&](const Inbound& extent) {
    return !extent.announced() && extent.incoming().id.handle == id.handle && extent.incoming().id.offset == id.offset;
  });
  if (found != inbound_.rend()) {
    forget(std::next(found).base());
  }
}

void Receiving::end() {
  ended_ = true;
  latest_ = nullptr;
  inbound_.clear();
  spare_.clear();
  staging_.clear();
  pieces_ = 0;
}

Inbound* Receiving::announced(std::uint32_t sequence, const ExtentId& id) {
  const auto fits = [&](const Inbound& extent) {
    const ExtentId& wanted = extent.incoming().id;
    return wanted.handle == id.handle && wanted.offset == id.offset && wanted.length >= id.length;
  };
  auto found = std::ranges::find_if(inbound_, [&](const Inbound& extent) { return extent.sequence() == sequence; });
  if (found == inbound_.end()) {
    found = std::ranges::find_if(inbound_, [&](const Inbound& extent) { return !extent.sequence() && fits(extent); });
  }
  if (found == inbound_.end() || !fits(*found)) {
    return nullptr;
  }
  found->announce(sequence, id.length);
  return &*found;
}

Placement Receiving::next_staged(Inbound& extent) {
  if (staging_.empty() || !extent.sequence()) {
    return {};
  }
  const ExtentId& id = extent.incoming().id;
  // Sinks that place bytes anywhere take all that is staged; the others only what continues the digest.
  const std::uint64_t up_to =
      extent.incoming().sink == Incoming::Sink::discard ? id.offset + extent.frontier() : ~std::uint64_t{0};
  while (auto piece = staging_.take(*extent.sequence(), up_to)) {
    const auto& [offset, held] = *piece;
    const std::uint64_t end = offset + held.bytes.size();
    if (offset < id.offset || end - id.offset > extent.length() || held.handle != id.handle) {
      continue;
    }
    piece_ = std::move(piece->second);
    // What was staged out of order is marked as received; the frontier says whether it is still wanted.
    if (auto placement = place(extent, offset - id.offset, piece_.bytes, false)) {
      return placement;
    }
  }
  return {};
}

void Receiving::delivered(Inbound& extent) {
  while (staging_.take(delivered_, ~std::uint64_t{0})) {
    // Copies of what came in the end without them.
  }
  ++delivered_;
  forget(std::ranges::find_if(inbound_, [&](const Inbound& each) { return &each == &extent; }));
}

/// Nothing more comes for it: its place is for the next one, and its pieces count no more.
void Receiving::forget(std::list<Inbound>::iterator extent) {
  latest_ = latest_ == &*extent ? nullptr : latest_;
  pieces_ -= extent->received().size();
  extent->end();
  spare_.splice(spare_.begin(), inbound_, extent);
}

}  // namespace waggle::packet
