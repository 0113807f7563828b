// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/frame.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/copy_meter.hpp"
#include "datapaths/stream/buffers.hpp"
#include "datapaths/stream/testing/ends.hpp"

namespace waggle::stream::testing {

TEST_CASE("frame headers are 32 bytes in network byte order") {
  const auto bytes = encode({0x01020304, true, {0x0a0b0c0d, 0x1112131415161718, 0x20000000}});
  const unsigned char expected[32] = {'W',  'G',  1, 1, 1, 2,    3,    4,    0x0a, 0x0b, 0x0c,
                                      0x0d, 0,    0, 0, 0, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                      0x17, 0x18, 0, 0, 0, 0,    0x20, 0,    0,    0};
  CHECK(std::ranges::equal(bytes, std::as_bytes(std::span(expected))));

  const auto back = must(decode(encode({77, true, {1, 2, 3}})));
  CHECK(back.message == 77);
  CHECK(back.announces);
  CHECK(back.extent == ExtentId{1, 2, 3});
}

TEST_CASE("malformed frame headers are refused") {
  const auto refused = [](std::size_t at, unsigned char value) {
    auto bytes = encode({5, true, {1, 2, 3}});
    bytes[at] = std::byte{value};
    const auto header = decode(bytes);
    return !header && header.error().fault == Fault::protocol;
  };
  CHECK(refused(0, 'H'));    // magic
  CHECK(refused(2, 2));      // version
  CHECK(refused(3, 3));      // unknown flag
  CHECK(refused(3, 0));      // an extent without the flag
  CHECK(refused(4, 1));      // message of 16 MiB
  CHECK(refused(15, 1));     // reserved
  CHECK(refused(16, 0xff));  // offset beyond every file
  CHECK(refused(27, 1));     // extent of 4 GiB
}

TEST_CASE("payload that is moved within the input buffer counts as copied") {
  InputBuffer input;
  input.space(InputBuffer::kCapacity);
  input.grow(InputBuffer::kCapacity);
  input.consume(InputBuffer::kCapacity - 1000);
  const std::uint64_t before = user_copied_bytes;
  input.space(900);  // there already
  CHECK(user_copied_bytes == before);
  input.space(2000);
  CHECK(user_copied_bytes == before + 1000);
  CHECK(input.size() == 1000);
}

}  // namespace waggle::stream::testing
