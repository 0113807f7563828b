// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "protocol/file_service.hpp"

/// The messages of the protocol, field by field in wire order (README.md has the same as tables). Strings and byte
/// views of a decoded message point into the bytes that it was decoded from.
namespace waggle::protocol {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kHeadSize = 8;       ///< bytes of op, flags, reserved and request id
inline constexpr std::size_t kMaxPath = 4095;     ///< bytes; PATH_MAX without its NUL
inline constexpr std::size_t kMaxName = 255;      ///< bytes of one directory entry's name
inline constexpr std::size_t kMaxText = 1024;     ///< bytes of an error's text and of its hint
inline constexpr std::size_t kMaxFeatures = 32;   ///< in one list
inline constexpr std::size_t kMaxFeature = 64;    ///< bytes of a feature's name
inline constexpr std::size_t kPageEntries = 512;  ///< most directory entries in one ENTRIES: they always fit a message
inline constexpr std::uint64_t kMaxFile = INT64_MAX;

using Nonce = std::array<std::byte, 32>;
using Mac = std::array<std::byte, 32>;  ///< HMAC-SHA-256

enum class Op : std::uint8_t {
  hello = 0x01,
  challenge = 0x02,
  proof = 0x03,
  welcome = 0x04,
  lookup = 0x10,
  getattr = 0x11,
  setattr = 0x12,
  read = 0x13,
  write = 0x14,
  create = 0x15,
  commit = 0x16,
  mkdir = 0x17,
  remove = 0x18,
  rename = 0x19,
  truncate = 0x1a,
  readdir = 0x1b,
  sync = 0x1c,
  release = 0x1d,
  digest = 0x1e,
  echo = 0x1f,
  done = 0x40,  ///< both ways
  ok = 0x80,
  attributes = 0x81,
  extent = 0x82,
  entries = 0x83,
  digests = 0x84,
  echoed = 0x85,
  error = 0xff
};
std::string_view name(Op op);

/// Bits of Head::flags; each message allows its own.
namespace flag {
inline constexpr std::uint8_t kOpen = 0x01;      ///< CHALLENGE: any PROOF is accepted
inline constexpr std::uint8_t kReadOnly = 0x01;  ///< WELCOME: nothing can be changed
inline constexpr std::uint8_t kWritable = 0x01;  ///< LOOKUP
inline constexpr std::uint8_t kResume = 0x01;    ///< CREATE
inline constexpr std::uint8_t kDurable = 0x01;   ///< COMMIT: on disk before the name appears
inline constexpr std::uint8_t kKeep = 0x01;      ///< RELEASE: leave an unfinished upload for a later resume
inline constexpr std::uint8_t kMode = 0x01;      ///< SETATTR
inline constexpr std::uint8_t kOwner = 0x02;     ///< SETATTR
inline constexpr std::uint8_t kTimes = 0x04;     ///< SETATTR
inline constexpr std::uint8_t kQuiet = 0x80;     ///< CREATE, WRITE, COMMIT: reply only when it fails
}  // namespace flag

/// What every message begins with.
struct Head {
  Op op = Op::error;
  std::uint8_t flags = 0;
  std::uint32_t request = 0;  ///< chosen by the client, repeated in the reply; 0 before WELCOME
  bool operator==(const Head&) const = default;
};

struct Features {
  std::array<std::string_view, kMaxFeatures> names;
  std::size_t count = 0;
  bool has(std::string_view name) const;
  bool operator==(const Features& other) const;
};

/// The features that this implementation offers.
const Features& own_features();

/// The feature that both sides must have for a kind of digest.
std::string_view needed_feature(DigestKind kind);
/// The feature that both sides must have for a request with these flags; empty: none.
std::string_view needed_feature(Op op, std::uint8_t flags);

/// A digest that may be absent (size 0); otherwise 16 or 32 bytes.
struct OptionalDigest {
  std::uint8_t size = 0;
  Digest value;
  bool operator==(const OptionalDigest&) const = default;
};

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

struct Lookup {
  static constexpr Op kOp = Op::lookup;
  static constexpr std::uint8_t kFlags = flag::kWritable;
  std::uint32_t handle = 0;
  std::string_view path;
  bool operator==(const Lookup&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.handle);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};

/// Requests that name a path and nothing else.
template <Op op>
struct PathOnly {
  static constexpr Op kOp = op;
  static constexpr std::uint8_t kFlags = 0;
  std::string_view path;
  bool operator==(const PathOnly&) const = default;
  static void fields(auto& m, auto& a) {
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};
using GetAttr = PathOnly<Op::getattr>;
using Remove = PathOnly<Op::remove>;

/// The flags say which members count; the others are zero.
struct SetAttr {
  static constexpr Op kOp = Op::setattr;
  static constexpr std::uint8_t kFlags = flag::kMode | flag::kOwner | flag::kTimes;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t modified_ns = 0;
  std::int64_t accessed_ns = 0;
  std::string_view path;
  bool operator==(const SetAttr&) const = default;
  static void fields(auto& m, auto& a) {
    a.mode(m.mode);
    a.number(m.uid);
    a.number(m.gid);
    a.number(m.modified_ns);
    a.number(m.accessed_ns);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};

/// A range of an open file, 1 to kMaxExtent bytes: what is asked, or announced.
template <Op op, std::uint8_t flags>
struct Range {
  static constexpr Op kOp = op;
  static constexpr std::uint8_t kFlags = flags;
  ExtentId extent;
  bool operator==(const Range&) const = default;
  static void fields(auto& m, auto& a) { a.extent(m.extent); }
};
using Read = Range<Op::read, 0>;
using Write = Range<Op::write, flag::kQuiet>;
using DigestRange = Range<Op::digest, 0>;

struct Create {
  static constexpr Op kOp = Op::create;
  static constexpr std::uint8_t kFlags = flag::kResume | flag::kQuiet;
  std::uint32_t handle = 0;
  std::uint64_t size = 0;  ///< bytes that the whole file will have
  std::uint32_t mode = 0;
  std::string_view path;
  bool operator==(const Create&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.handle);
    a.number(m.size);
    a.mode(m.mode);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
    a.check(m.size <= kMaxFile, "the size is out of range");
  }
};

/// Requests that name a handle and nothing else.
template <Op op, std::uint8_t flags>
struct HandleOnly {
  static constexpr Op kOp = op;
  static constexpr std::uint8_t kFlags = flags;
  std::uint32_t handle = 0;
  bool operator==(const HandleOnly&) const = default;
  static void fields(auto& m, auto& a) { a.number(m.handle); }
};
using Commit = HandleOnly<Op::commit, flag::kDurable | flag::kQuiet>;
using Sync = HandleOnly<Op::sync, 0>;
using Release = HandleOnly<Op::release, flag::kKeep>;

struct MakeDirectory {
  static constexpr Op kOp = Op::mkdir;
  static constexpr std::uint8_t kFlags = 0;
  std::uint32_t mode = 0;
  std::string_view path;
  bool operator==(const MakeDirectory&) const = default;
  static void fields(auto& m, auto& a) {
    a.mode(m.mode);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};

struct Rename {
  static constexpr Op kOp = Op::rename;
  static constexpr std::uint8_t kFlags = 0;
  std::string_view from;
  std::string_view to;
  bool operator==(const Rename&) const = default;
  static void fields(auto& m, auto& a) {
    a.text(m.from, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
    a.text(m.to, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};

struct Truncate {
  static constexpr Op kOp = Op::truncate;
  static constexpr std::uint8_t kFlags = 0;
  std::uint64_t size = 0;
  std::string_view path;
  bool operator==(const Truncate&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.size);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
    a.check(m.size <= kMaxFile, "the size is out of range");
  }
};

struct ReadDir {
  static constexpr Op kOp = Op::readdir;
  static constexpr std::uint8_t kFlags = 0;
  std::uint64_t cookie = 0;  ///< 0, or next_cookie of the page before
  std::string_view path;
  bool operator==(const ReadDir&) const = default;
  static void fields(auto& m, auto& a) {
    a.number(m.cookie);
    a.text(m.path, kMaxPath, "a path is longer than 4,095 bytes or holds a NUL byte");
  }
};

struct Echo {
  static constexpr Op kOp = Op::echo;
  static constexpr std::uint8_t kFlags = 0;
  std::uint32_t response_size = 0;  ///< bytes wanted back, at most kMaxMessage - kHeadSize
  ByteView bytes;                   ///< to the end of the message
  bool operator==(const Echo& other) const;
  static void fields(auto& m, auto& a) {
    a.number(m.response_size);
    a.rest(m.bytes);
    a.check(m.response_size <= kMaxMessage - kHeadSize, "the wanted response is longer than a message");
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
