// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/message_head.hpp"
#include "protocol/requests.hpp"

/// The messages of the protocol, field by field in wire order (README.md has the same as tables). Strings and byte
/// views of a decoded message point into the bytes that it was decoded from. Here: those of the handshake, and replies.
namespace waggle::protocol {

struct Hello {
  static constexpr Op kOp = Op::hello;
  static constexpr std::uint8_t kFlags = 0;
  std::uint16_t lowest = kVersion;   ///< protocol versions that the client speaks
  std::uint16_t highest = kVersion;  ///< inclusive
  DigestKind digest = DigestKind::xxh3_128;
  Nonce nonce{};
  Features features;
  bool operator==(const Hello&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.lowest);
    a.number(m.highest);
    a.kind(m.digest);
    a.array(m.nonce);
    a.features(m.features);
    a.check(m.lowest <= m.highest, "the lowest version is above the highest");
  }
};

struct Challenge {
  static constexpr Op kOp = Op::challenge;
  static constexpr std::uint8_t kFlags = flag::kOpen;
  std::uint16_t version = kVersion;
  Nonce nonce{};
  Features features;
  bool operator==(const Challenge&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.version);
    a.array(m.nonce);
    a.features(m.features);
  }
};

struct Proof {
  static constexpr Op kOp = Op::proof;
  static constexpr std::uint8_t kFlags = 0;
  Mac mac{};
  bool operator==(const Proof&) const = default;
  static void fields(auto& m, auto& a) { a.array(m.mac); }
};

struct Welcome {
  static constexpr Op kOp = Op::welcome;
  static constexpr std::uint8_t kFlags = flag::kReadOnly;
  Mac mac{};
  std::uint32_t most_handles = 0;
  bool operator==(const Welcome&) const = default;
  static void fields(auto& m, auto& a) {
    a.array(m.mac);
    a.number(m.most_handles);
  }
};

/// Ends an extent, sent by whoever sent its payload; answers a READ that has nothing to send.
struct Done {
  static constexpr Op kOp = Op::done;
  static constexpr std::uint8_t kFlags = 0;
  std::uint16_t status = 0;   ///< 0, or the wire code of a Fault: the payload must not be used
  std::uint64_t valid = 0;    ///< bytes that really came from the file
  std::uint64_t version = 0;  ///< Attributes::version after the payload was sent; 0 from a client
  OptionalDigest digest;      ///< root digest of the extent; absent when status is not 0
  std::string_view what;      ///< why, when status is not 0
  bool operator==(const Done&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.status);
    a.number(m.valid);
    a.number(m.version);
    a.digest(m.digest);
    a.text(m.what, kMaxText, "text");
    a.check((m.status == 0) == (m.digest.size != 0), "a digest comes with status 0 and only then");
    a.check(m.status != 0 || m.what.empty(), "a reason comes with another status than 0");
    a.check(m.valid <= kMaxExtent, "more bytes are valid than an extent has");
  }
};

struct Ok {
  static constexpr Op kOp = Op::ok;
  static constexpr std::uint8_t kFlags = 0;
  bool operator==(const Ok&) const = default;
  static void fields(auto&, auto&) {}
};

struct AttributesReply {
  static constexpr Op kOp = Op::attributes;
  static constexpr std::uint8_t kFlags = 0;
  Attributes attributes;
  bool operator==(const AttributesReply&) const = default;
  static void fields(auto& m, auto& a) { a.attributes(m.attributes); }
};

/// Announces the payload that follows; `known` is its root digest when the server has it already.
struct Extent {
  static constexpr Op kOp = Op::extent;
  static constexpr std::uint8_t kFlags = 0;
  ExtentId extent;
  OptionalDigest known;
  bool operator==(const Extent&) const = default;
  static void fields(auto& m, auto& a) {
    a.extent(m.extent);
    a.digest(m.known);
  }
};

struct Entries {
  static constexpr Op kOp = Op::entries;
  static constexpr std::uint8_t kFlags = 0;
  std::uint64_t next_cookie = 0;  ///< 0: this was the last page
  std::vector<DirectoryEntry> entries;
  bool operator==(const Entries&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.next_cookie);
    a.entries(m.entries);
  }
};

struct Digests {
  static constexpr Op kOp = Op::digests;
  static constexpr std::uint8_t kFlags = 0;
  std::vector<OptionalDigest> blocks;  ///< in order, at least one; all of one size
  bool operator==(const Digests&) const = default;
  static void fields(auto& m, auto& a) { a.digests(m.blocks); }
};

struct Echoed {
  static constexpr Op kOp = Op::echoed;
  static constexpr std::uint8_t kFlags = 0;
  ByteView bytes;  ///< to the end of the message
  bool operator==(const Echoed& other) const;
  static void fields(auto& m, auto& a) { a.rest(m.bytes); }
};

struct ErrorReply {
  static constexpr Op kOp = Op::error;
  static constexpr std::uint8_t kFlags = 0;
  std::uint16_t code = 0;  ///< wire code of a Fault
  std::string_view what;
  std::string_view hint;
  bool operator==(const ErrorReply&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.code);
    a.text(m.what, kMaxText, "text");
    a.text(m.hint, kMaxText, "text");
  }
};

using AnyBody = std::variant<Hello, Challenge, Proof, Welcome, Lookup, GetAttr, SetAttr, Read, Write, Create, Commit,
                             MakeDirectory, Remove, Rename, Truncate, ReadDir, Sync, Release, DigestRange, Echo, Done,
                             Ok, AttributesReply, Extent, Entries, Digests, Echoed, ErrorReply>;

/// The number that stands for a Fault on the wire: 1 to 14, fixed for all versions.
std::uint16_t wire_code(Fault fault);
/// An Error as it travels; what is too long for the wire is cut. The texts point into `error`.
ErrorReply error_reply(const Error& error);
/// The Fault behind a number; Fault::io for those that this version does not know.
Fault fault_of_code(std::uint16_t code);

}  // namespace waggle::protocol
