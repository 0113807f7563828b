// SPDX-License-Identifier: BSD-2-Clause
#include "base/digest.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "base/digest_xxh3.hpp"

namespace waggle {
namespace {

std::vector<std::byte> random_bytes(std::size_t length, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(length);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random());
  }
  return bytes;
}

ByteView view_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// The definition of an extent's digest, written down a second time and simply.
Digest by_definition(DigestKind kind, ByteView bytes) {
  std::vector<std::byte> digests;
  for (std::size_t offset = 0; offset < bytes.size(); offset += kDigestBlock) {
    const Digest block = digest_of(kind, bytes.subspan(offset, std::min(bytes.size() - offset, kDigestBlock)));
    digests.insert(digests.end(), block.bytes.begin(), block.bytes.begin() + digest_size(kind));
  }
  return digest_of(kind, digests);
}

TEST_CASE("digests are the published ones") {
  // XXH128 of nothing is in xxHash's own test vectors; SHA-256 from FIPS 180-2, appendix B.1.
  CHECK(digest_of(DigestKind::xxh3_128, {}).hex(DigestKind::xxh3_128) == "99aa06d3014798d86001c324468d497f");
  CHECK(digest_of(DigestKind::sha256, view_of("abc")).hex(DigestKind::sha256) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of(DigestKind::sha256, {}).hex(DigestKind::sha256) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("names are understood and others refused") {
  for (const DigestKind kind : {DigestKind::xxh3_128, DigestKind::sha256}) {
    CHECK(parse_digest_kind(name(kind)) == kind);
  }
  CHECK(parse_digest_kind("md5").error().fault == Fault::usage);
}

TEST_CASE("all vector widths agree, at once and in pieces") {
  const auto bytes = random_bytes(70'001, 3);
  for (const std::size_t length : {0U, 1U, 16U, 17U, 128U, 240U, 241U, 1024U, 4096U, 65'536U, 70'001U}) {
    Digest expected;
    xxh3::kBase.hash(bytes.data(), length, expected.bytes.data());
    for (const xxh3::Kernel* const* kernel = xxh3::supported(); *kernel != nullptr; ++kernel) {
      INFO((*kernel)->vectors << ", " << length << " bytes");
      Digest at_once;
      (*kernel)->hash(bytes.data(), length, at_once.bytes.data());
      CHECK(at_once == expected);
      const auto stream = std::make_unique<xxh3::Stream>();
      (*kernel)->reset(*stream);
      (*kernel)->update(*stream, bytes.data(), length / 3);
      (*kernel)->update(*stream, bytes.data() + length / 3, length - length / 3);
      Digest in_pieces;
      (*kernel)->finish(*stream, in_pieces.bytes.data());
      CHECK(in_pieces == expected);
    }
  }
}

TEST_CASE("an extent's digest folds the digests of its blocks") {
  const auto kind = GENERATE(DigestKind::xxh3_128, DigestKind::sha256);
  const std::size_t length = GENERATE(0U, 1U, 1000U, kDigestBlock - 1, kDigestBlock, kDigestBlock + 1, 2 * kDigestBlock,
                                      3 * kDigestBlock + 77);
  const auto bytes = random_bytes(length, length);
  ExtentDigester digester(kind, true);
  digester.update(bytes);
  CHECK(digester.finish() == by_definition(kind, bytes));
  CHECK(digester.bytes() == length);
  CHECK(digester.blocks().size() == (length + kDigestBlock - 1) / kDigestBlock);
}

TEST_CASE("how the bytes are split does not matter") {
  const auto kind = GENERATE(DigestKind::xxh3_128, DigestKind::sha256);
  const auto bytes = random_bytes(3 * kDigestBlock + 12'345, 5);
  const Digest expected = by_definition(kind, bytes);
  const std::uint64_t seed = GENERATE(1U, 2U, 3U, 4U);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ExtentDigester digester(kind);
  ByteView rest = bytes;
  while (!rest.empty()) {
    const std::uint64_t most = random() % 4 == 0 ? 2 * kDigestBlock : 40'000;
    const auto take = std::min<std::size_t>(rest.size(), random() % most);
    digester.update(rest.first(take));
    rest = rest.subspan(take);
  }
  CHECK(digester.finish() == expected);
}

TEST_CASE("known blocks can stand for their bytes") {
  const auto bytes = random_bytes(2 * kDigestBlock + 500, 9);
  ExtentDigester digester(DigestKind::xxh3_128, true);
  digester.update(bytes);
  const Digest expected = digester.finish();
  const std::vector<Digest> blocks = digester.blocks();

  ExtentDigester resumed(DigestKind::xxh3_128);
  resumed.add_block(blocks[0], kDigestBlock);
  resumed.update(ByteView(bytes).subspan(kDigestBlock, kDigestBlock));
  resumed.add_block(blocks[2], 500);
  CHECK(resumed.finish() == expected);
  CHECK(resumed.bytes() == bytes.size());
}

TEST_CASE("after reset a digester starts over and keeps its time") {
  const auto bytes = random_bytes(300'000, 21);
  ExtentDigester digester(DigestKind::sha256, true);
  digester.update(bytes);
  const std::uint64_t spent = digester.nanoseconds();
  CHECK(spent > 0);
  digester.reset();
  CHECK(digester.bytes() == 0);
  CHECK(digester.blocks().empty());
  digester.update(ByteView(bytes).first(10));
  CHECK(digester.finish() == by_definition(DigestKind::sha256, ByteView(bytes).first(10)));
  CHECK(digester.nanoseconds() >= spent);
}

TEST_CASE("an observer hears of every byte") {
  const auto progress = std::make_unique<Progress>();
  const auto bytes = random_bytes(kDigestBlock + 9, 2);
  ExtentDigester digester(DigestKind::xxh3_128);
  digester.update(ByteView(bytes).first(5));
  digester.reset();
  digester.observe(progress.get());
  digester.update(bytes);
  CHECK(progress->bytes == bytes.size());
  digester.reset();
  digester.add_block({}, kDigestBlock);
  CHECK(progress->bytes == bytes.size() + kDigestBlock);
  digester.observe(nullptr);
  digester.update(bytes);
  CHECK(progress->bytes == bytes.size() + kDigestBlock);
}

TEST_CASE("one changed bit changes the digest") {
  auto bytes = random_bytes(2 * kDigestBlock, 4);
  const Digest before = by_definition(DigestKind::xxh3_128, bytes);
  bytes[kDigestBlock + 1] ^= std::byte{1};
  CHECK(by_definition(DigestKind::xxh3_128, bytes) != before);
}

}  // namespace
}  // namespace waggle
