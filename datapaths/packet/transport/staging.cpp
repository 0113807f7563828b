// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/staging.hpp"

#include <utility>

#include "base/copy_meter.hpp"

namespace waggle::packet {
namespace {

/// What a piece costs: its bytes, and the node that holds them. Else a peer could fill the memory with tiny ones.
std::uint64_t cost(std::size_t bytes) {
  return bytes + 128;
}

}  // namespace

Staging::~Staging() {
  clear();
}

void Staging::clear() {
  *budget_ += std::exchange(held_, 0);
  pieces_.clear();
}

bool Staging::put(Key key, std::uint32_t handle, ByteView payload) {
  const std::uint64_t more = cost(payload.size());
  if (more > *budget_ || held_ + more > *budget_ - more) {
    return false;
  }
  const auto [found, fresh] = pieces_.try_emplace(key);
  Piece& piece = found->second;
  if (!fresh && piece.bytes.size() >= payload.size()) {
    return true;
  }
  release(fresh ? 0 : cost(piece.bytes.size()));
  *budget_ -= more;
  held_ += more;
  piece.handle = handle;
  piece.bytes.resize(payload.size());
  copy_payload(piece.bytes, payload);
  return true;
}

std::optional<std::pair<std::uint64_t, Staging::Piece>> Staging::take(std::uint32_t extent, std::uint64_t offset) {
  const auto found = pieces_.lower_bound({extent, 0});
  if (found == pieces_.end() || found->first.first != extent || found->first.second > offset) {
    return {};
  }
  auto node = pieces_.extract(found);
  release(cost(node.mapped().bytes.size()));
  return std::pair(node.key().second, std::move(node.mapped()));
}

}  // namespace waggle::packet
