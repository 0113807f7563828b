// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/received_numbers.hpp"
#include "datapaths/packet/transport/wire.hpp"

/// Hostile bytes against everything that reads packets without knowing a connection: headers, ACK blocks, and the sets
/// that numbers and offsets end up in. What was read must be consistent, and written again it must read the same.
namespace {

using namespace waggle;
using namespace waggle::packet;

void require(bool fine, const char* what) {
  if (!fine) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

void check_header(ByteView bytes) {
  const auto header = read_header(bytes);
  if (!header) {
    return;
  }
  require(header->length == bytes.size() && header->lag <= header->number, "a header contradicts itself");
  std::vector<std::byte> again(bytes.begin(), bytes.end());
  write_header(again.data(), *header);
  seal(again);
  require(intact(again), "a sealed packet is not intact");
  const auto twice = read_header(again);
  require(twice && twice->type == header->type && twice->flags == header->flags &&
              twice->connection == header->connection && twice->number == header->number && twice->lag == header->lag,
          "a header does not survive");
  again.back() ^= std::byte{1};
  require(!intact(again), "a damaged packet is intact");
}

void check_ack(ByteView bytes) {
  const auto ack = read_ack(bytes);
  if (!ack) {
    return;
  }
  const auto& [block, size] = *ack;
  require(size <= bytes.size() && block.count <= kMostRanges, "an ACK is longer than its packet");
  std::uint64_t below = block.largest;
  for (std::size_t i = 0; i < block.count; ++i) {
    const NumberRange& range = block.ranges[i];
    require(range.first <= range.last && range.last <= below && range.first >= block.floor,
            "the ranges of an ACK contradict each other");
    below = range.first;
  }
  std::array<std::byte, kAckBlock + 8 * kMostRanges> room;
  require(write_ack(room, block) == size, "an ACK changes its size");
  const auto again = read_ack(room);
  require(again && again->first.floor == block.floor && again->first.largest == block.largest &&
              again->first.count == block.count,
          "an ACK does not survive");
  for (std::size_t i = 0; i < block.count; ++i) {
    require(
        again->first.ranges[i].first == block.ranges[i].first && again->first.ranges[i].last == block.ranges[i].last,
        "a range does not survive");
  }
}

/// Numbers from the input, against a list of all that were added.
void check_numbers(ByteView bytes) {
  ReceivedNumbers numbers;
  std::array<bool, 1024> model{};
  std::uint64_t floor = 0;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    const auto value = load_be<std::uint16_t>(bytes.data() + at);
    const std::uint64_t number = value % model.size();
    if (value >= 0xF000) {
      numbers.forget_below(number);
    } else {
      const bool seen = numbers.seen(number);
      require(numbers.add(number) != seen, "a number is new and seen at once");
      require(!seen || model[number] || number < numbers.floor(), "a number was seen that never came");
      model[number] = true;
    }
    require(numbers.floor() >= floor, "the floor went back");
    floor = numbers.floor();
    const AckBlock ack = numbers.describe();
    std::array<std::byte, kAckBlock + 8 * kMostRanges> room;
    require(write_ack(room, ack) > 0 && read_ack(room), "an ACK of our own cannot be read");
    for (std::size_t i = 0; i < ack.count; ++i) {
      for (std::uint64_t each = ack.ranges[i].first; each <= ack.ranges[i].last; ++each) {
        require(model[each], "a number is acknowledged that never came");
      }
    }
  }
}

/// Pieces of a stream whose bytes follow from their place, in any order.
void check_stream(ByteView bytes) {
  MessageReceiver stream;
  const auto byte_at = [](std::uint64_t offset) { return static_cast<std::byte>(offset * 7 + (offset >> 8U)); };
  std::vector<std::byte> piece;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    const std::uint64_t offset = load_be<std::uint16_t>(bytes.data() + at) * std::uint64_t{16};
    const std::size_t length = load_be<std::uint16_t>(bytes.data() + at + 2) % 3000;
    piece.resize(length);
    for (std::size_t i = 0; i < length; ++i) {
      piece[i] = byte_at(offset + i);
    }
    const bool fits = stream.insert(offset, piece);
    require(fits == (offset + length <= stream.limit()), "the limit of a stream was not kept");
    const std::uint64_t ready = stream.available();
    const ByteView view = stream.view(0, ready);
    for (std::size_t i = 0; i < view.size(); ++i) {
      require(view[i] == byte_at(stream.read() + i), "a stream has wrong bytes");
    }
    if (length % 3 == 0) {
      stream.consume(ready / 2);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = std::as_bytes(std::span(data, size));
  switch (std::to_integer<unsigned>(bytes[0]) % 4) {
    case 0: check_header(bytes.subspan(1)); break;
    case 1: check_ack(bytes.subspan(1)); break;
    case 2: check_numbers(bytes.subspan(1)); break;
    default: check_stream(bytes.subspan(1)); break;
  }
  return 0;
}
