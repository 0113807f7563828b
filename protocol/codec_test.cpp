// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/codec.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace waggle;
using namespace waggle::protocol;

namespace {

using Bytes = std::vector<std::byte>;

template <typename Body>
Bytes bytes_of(const Body& body, std::uint8_t flags = 0, std::uint32_t request = 7) {
  MessageBuffer buffer;
  const auto message = encode(buffer, request, body, flags);
  REQUIRE(message);
  return {message->begin(), message->end()};
}

constexpr Attributes kAttributes{FileType::directory, 0755, 1000, 100, 1234567890123, -5, 77, 0xfedcba9876543210};

OptionalDigest a_digest(std::uint8_t size) {
  OptionalDigest digest{size, {}};
  for (std::size_t i = 0; i < size; ++i) {
    digest.value.bytes[i] = static_cast<std::byte>(0xa0 + i);
  }
  return digest;
}

Nonce a_nonce() {
  Nonce nonce;
  nonce.fill(std::byte{0x5a});
  return nonce;
}

const std::string kContent = "some bytes";
const ByteView kBytes = std::as_bytes(std::span(kContent));

/// One of each, with its flags.
std::vector<std::pair<AnyBody, std::uint8_t>> one_of_each() {
  const ExtentId extent{3, 4096, kMaxExtent};
  return {
      {Hello{1, 2, DigestKind::sha256, a_nonce(), {{"a", "feature"}, 2}}, 0},
      {Challenge{1, a_nonce(), {}}, flag::kOpen},
      {Proof{a_nonce()}, 0},
      {Welcome{a_nonce(), 4096}, flag::kReadOnly},
      {Lookup{9, "some/path"}, flag::kWritable},
      {GetAttr{""}, 0},
      {SetAttr{0640, 1, 2, 3, -4, "p"}, flag::kMode | flag::kOwner | flag::kTimes},
      {Read{extent}, 0},
      {Write{extent}, flag::kQuiet},
      {Create{1, 1U << 31U, 0600, "new"}, flag::kResume | flag::kQuiet},
      {Commit{1}, flag::kDurable},
      {MakeDirectory{0700, "d"}, 0},
      {Remove{"gone"}, 0},
      {Rename{"from", "to"}, 0},
      {Truncate{12, "t"}, 0},
      {ReadDir{99, "d"}, 0},
      {Sync{4}, 0},
      {Release{4}, flag::kKeep},
      {DigestRange{extent}, 0},
      {Echo{64, kBytes}, 0},
      {Done{0, 10, 11, a_digest(16), ""}, 0},
      {Done{wire_code(Fault::changed), 10, 11, {}, "it shrank"}, 0},
      {Ok{}, 0},
      {AttributesReply{kAttributes}, 0},
      {Extent{extent, a_digest(32)}, 0},
      {Entries{5, {{"one", kAttributes}, {"two", {}}}}, 0},
      {Digests{{a_digest(32), a_digest(32)}}, 0},
      {Echoed{kBytes}, 0},
      {ErrorReply{wire_code(Fault::denied), "what", "hint"}, 0},
  };
}

Bytes encoded(const AnyBody& body, std::uint8_t flags) {
  return std::visit([&](const auto& one) { return bytes_of(one, flags); }, body);
}

}  // namespace

TEST_CASE("every message survives the wire", "[codec]") {
  std::size_t kinds = 0;
  for (const auto& [body, flags] : one_of_each()) {
    const Bytes bytes = encoded(body, flags);
    const auto decoded = decode_any(bytes);
    INFO("alternative " << body.index());
    REQUIRE(decoded);
    CHECK(decoded->head.request == 7);
    CHECK(decoded->head.flags == flags);
    CHECK(decoded->body == body);
    kinds = std::max(kinds, body.index() + 1);
  }
  CHECK(kinds == std::variant_size_v<AnyBody>);
}

TEST_CASE("no truncated message decodes, and none with bytes after it", "[codec]") {
  for (const auto& [body, flags] : one_of_each()) {
    const Bytes bytes = encoded(body, flags);
    INFO("alternative " << body.index());
    const bool open_ended = std::holds_alternative<Echo>(body) || std::holds_alternative<Echoed>(body);
    const std::size_t shortest = open_ended ? bytes.size() - kContent.size() : bytes.size();
    for (std::size_t length = 0; length < shortest; ++length) {
      // A copy of its own, so that a sanitizer sees every read beyond the end.
      const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      const auto decoded = decode_any(part);
      REQUIRE_FALSE(decoded);
      CHECK(decoded.error().fault == Fault::protocol);
    }
    if (!open_ended) {
      Bytes longer = bytes;
      longer.push_back(std::byte{0});
      CHECK_FALSE(decode_any(longer));
    }
  }
}

TEST_CASE("what breaks a rule of the format is refused by name", "[codec]") {
  const auto refusal = [](const Bytes& bytes) {
    const auto decoded = decode_any(bytes);
    return decoded ? std::string("decoded") : decoded.error().what;
  };
  Bytes bytes = bytes_of(Lookup{1, "path"});
  SECTION("unknown op") {
    bytes[0] = std::byte{0x77};
    CHECK(refusal(bytes) == "unknown op 0x77");
  }
  SECTION("unknown flag") {
    bytes[1] = std::byte{0x40};
    CHECK(refusal(bytes) == "malformed LOOKUP: unknown flags");
  }
  SECTION("reserved bits") {
    bytes[3] = std::byte{1};
    CHECK(refusal(bytes) == "malformed LOOKUP: reserved bits are set");
  }
  SECTION("NUL in a path") {
    bytes.back() = std::byte{0};
    CHECK(refusal(bytes) == "malformed LOOKUP: a string holds a NUL byte");
  }
  SECTION("a path longer than the limit") {
    bytes = bytes_of(Lookup{1, std::string(kMaxPath, 'x')});
    bytes[12] = std::byte{0x10};
    bytes[13] = std::byte{0x01};
    bytes.push_back(std::byte{'x'});
    CHECK(refusal(bytes) == "malformed LOOKUP: a string is too long");
  }
  SECTION("an extent of no bytes") {
    bytes = bytes_of(Read{{1, 0, 1}});
    bytes.back() = std::byte{0};
    CHECK(refusal(bytes) == "malformed READ: an extent has no bytes or more than 1 GiB");
  }
  SECTION("a field without its flag") {
    CHECK(refusal(bytes_of(SetAttr{.mode = 1, .path = "p"})) == "malformed SETATTR: a field is set without its flag");
  }
  SECTION("a mode beyond the permission bits") {
    bytes = bytes_of(MakeDirectory{0, "d"});
    bytes[8] = std::byte{1};
    CHECK(refusal(bytes) == "malformed MKDIR: a mode has bits beyond 07777");
  }
  SECTION("a good DONE without digest") {
    bytes = bytes_of(Done{.digest = a_digest(16)});
    bytes[9] = std::byte{1};
    CHECK(refusal(bytes) == "malformed DONE: a digest comes with status 0 and only then");
  }
  SECTION("more digests than the message holds") {
    bytes = bytes_of(Digests{{a_digest(16)}});
    bytes[9] = std::byte{0xff};
    CHECK(refusal(bytes) == "malformed DIGESTS: the number of digests is wrong");
  }
  SECTION("no digests, which could be of either size") {
    bytes = bytes_of(Digests{{a_digest(32)}});
    bytes.resize(kHeadSize + 5);
    bytes[12] = std::byte{0};
    CHECK(refusal(bytes) == "malformed DIGESTS: no digests");
  }
}

TEST_CASE("what does not fit the wire is refused before it is sent", "[codec]") {
  MessageBuffer buffer;
  CHECK(encode(buffer, 1, Remove{std::string(kMaxPath, 'x')}).has_value());
  const std::string too_long(kMaxPath + 1, 'x');
  const auto longer = encode(buffer, 1, Remove{too_long});
  REQUIRE_FALSE(longer);
  CHECK(longer.error().fault == Fault::usage);
  CHECK_FALSE(encode(buffer, 1, Remove{std::string_view("a\0b", 3)}));
  CHECK_FALSE(encode(buffer, 1, Read{{1, 0, kMaxExtent + 1}}));
  CHECK_FALSE(encode(buffer, 1, Digests{}));
  const std::string huge(kMaxMessage, 'x');
  CHECK_FALSE(encode(buffer, 1, Echo{1, std::as_bytes(std::span(huge))}));
}

TEST_CASE("faults keep their numbers", "[codec]") {
  CHECK(wire_code(Fault::usage) == 1);
  CHECK(wire_code(Fault::changed) == 7);
  CHECK(wire_code(Fault::io) == 14);
  for (int fault = 0; fault <= static_cast<int>(Fault::io); ++fault) {
    CHECK(fault_of_code(wire_code(static_cast<Fault>(fault))) == static_cast<Fault>(fault));
  }
  CHECK(fault_of_code(999) == Fault::io);
}

TEST_CASE("the largest page of a directory fits a message", "[codec]") {
  Entries page;
  page.entries.assign(kPageEntries, DirectoryEntry{std::string(kMaxName, 'n'), kAttributes});
  MessageBuffer buffer;
  CHECK(encode(buffer, 1, page).has_value());
  Digests digests;
  digests.blocks.assign(kMaxExtent / kDigestBlock, a_digest(32));
  CHECK(encode(buffer, 1, digests).has_value());
}
