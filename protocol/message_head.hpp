// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "protocol/file_service.hpp"

/// What all messages share (messages.hpp): limits, operations, flags, the head, features.
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

}  // namespace waggle::protocol
