// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/crc32c.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "base/copy_meter.hpp"
#include "datapaths/packet/transport/crc32c_kernels.hpp"

namespace waggle::packet {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

std::vector<std::byte> random_bytes(std::size_t length) {
  std::mt19937_64 random(length + 1);
  std::vector<std::byte> bytes(length);
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

/// Bit by bit, from the definition.
std::uint32_t reference(ByteView bytes) {
  std::uint32_t crc = ~0U;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0x82F63B78U : crc >> 1U;
    }
  }
  return ~crc;
}

std::vector<const crc::Kernel*> kernels() {
  std::vector<const crc::Kernel*> all{&crc::kTable};
#if defined(__x86_64__)
  all.push_back(&crc::kSse42);
  all.push_back(&crc::kVector);
#elif defined(__aarch64__)
  all.push_back(&crc::kArm);
#endif
  std::erase_if(all, [](const crc::Kernel* kernel) { return !kernel->supported(); });
  return all;
}

TEST_CASE("crc32c gives the known answers of RFC 3720, B.4") {
  CHECK(crc32c(0, bytes_of("123456789")) == 0xE3069283);
  CHECK(crc32c(0, {}) == 0);
  CHECK(crc32c(0, std::vector(32, std::byte{0})) == 0x8A9136AA);
  CHECK(crc32c(0, std::vector(32, std::byte{0xFF})) == 0x62A8AB43);
  std::vector<std::byte> counting(32);
  for (std::size_t i = 0; i < counting.size(); ++i) {
    counting[i] = static_cast<std::byte>(i);
  }
  CHECK(crc32c(0, counting) == 0x46DD794E);
  std::ranges::reverse(counting);
  CHECK(crc32c(0, counting) == 0x113FDB5C);
}

TEST_CASE("every kernel of this CPU agrees with the definition, at every length and alignment") {
  const auto bytes = random_bytes(9500);
  std::vector<std::byte> copy(bytes.size() + 64);
  for (const crc::Kernel* kernel : kernels()) {
    CAPTURE(kernel->name);
    std::vector<std::size_t> lengths(700);
    std::ranges::generate(lengths, [n = std::size_t{0}]() mutable { return n++; });
    lengths.insert(lengths.end(), {1023, 1024, 1400, 1448, 3071, 3072, 3073, 3350, 6144, 6200, 8900, 9400});
    for (const std::size_t length : lengths) {
      const std::size_t skew = length % 17;
      const ByteView part = ByteView(bytes).subspan(skew, length);
      const std::uint32_t expected = reference(part);
      CAPTURE(length);
      REQUIRE(~kernel->update(~0U, part.data(), length) == expected);
      std::ranges::fill(copy, std::byte{0x5A});
      std::byte* const to = copy.data() + length % 13;
      REQUIRE(~kernel->copy(~0U, to, part.data(), length) == expected);
      REQUIRE(std::equal(part.begin(), part.end(), to));
      REQUIRE(std::all_of(to + length, copy.data() + copy.size(), [](std::byte b) { return b == std::byte{0x5A}; }));
    }
  }
}

TEST_CASE("crc32c continues an earlier checksum and the copy is counted") {
  const auto bytes = random_bytes(5000);
  const std::uint32_t whole = crc32c(0, bytes);
  for (const std::size_t cut : {0U, 1U, 47U, 256U, 1448U, 4999U}) {
    const ByteView view(bytes);
    CHECK(crc32c(crc32c(0, view.first(cut)), view.subspan(cut)) == whole);
    std::vector<std::byte> copy(bytes.size() - cut);
    const std::uint64_t before = user_copied_bytes.load();
    CHECK(copy_payload_crc32c(copy, view.subspan(cut), crc32c(0, view.first(cut))) == whole);
    CHECK(user_copied_bytes.load() - before == copy.size());
    CHECK(std::ranges::equal(copy, view.subspan(cut)));
  }
}

TEST_CASE("one flipped bit anywhere changes the checksum") {
  auto bytes = random_bytes(1448);
  const std::uint32_t right = crc32c(0, bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 7) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    REQUIRE(crc32c(0, bytes) != right);
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

}  // namespace
}  // namespace waggle::packet
