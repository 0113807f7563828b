// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "protocol/message_head.hpp"

/// What a client asks once it is known (messages.hpp).
namespace waggle::protocol {

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

}  // namespace waggle::protocol
