// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/handshake.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "datapaths/packet/transport/mtu_search.hpp"

namespace waggle::packet {

void Handshake::on_retry(Time now, ByteView token) {
  std::ranges::copy(token, token_.emplace().begin());
  hello_at_ = now;
}

std::optional<Handshake::Packet> Handshake::next(Time now, const Terms& terms, ByteSpan room) {
  std::byte* at = room.data() + kHeader;
  if (accept_due_) {
    accept_due_ = false;
    write_terms(at, terms);
    return Packet{Type::accept, kHeader + kTerms};
  }
  if (now < hello_at_) {
    return {};
  }
  hello_at_ = now + hello_wait_;
  hello_wait_ = std::min<Time>(2 * hello_wait_, 1'000'000'000);
  // Padded, so that the server never sends more than it has received before the address is proven (RFC 9000, 8.1).
  std::fill_n(at, MtuSearch::kBase - kHeader, std::byte{0});
  write_terms(at, terms);
  store_be(at + kTerms, static_cast<std::uint16_t>(token_ ? token_->size() : 0));
  if (token_) {
    std::ranges::copy(*token_, at + kTerms + 2);
  }
  return Packet{Type::hello, MtuSearch::kBase};
}

}  // namespace waggle::packet
