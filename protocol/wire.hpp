// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstring>

#include "base/byte_order.hpp"
#include "protocol/messages.hpp"

/// Private to the codec: three archives that walk the fields of a message: one reads, one writes, one counts.
namespace waggle::protocol::wire {

inline constexpr std::size_t kAttributesSize = 45;

/// Takes fields off untrusted bytes. After the first offence nothing more is read and error() says what it was.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) {}
  const char* error() const { return error_ == nullptr && !left_.empty() ? "bytes follow the last field" : error_; }

  void check(bool fine, const char* why) {
    if (!fine && error_ == nullptr) {
      error_ = why;
      left_ = {};
    }
  }

  template <std::integral T>
  void number(T& value) {
    const ByteView bytes = take(sizeof(T));
    if (!bytes.empty()) {
      value = load_be<T>(bytes.data());
    }
  }

  template <std::size_t n>
  void array(std::array<std::byte, n>& value) {
    const ByteView bytes = take(n);
    if (!bytes.empty()) {
      std::memcpy(value.data(), bytes.data(), n);
    }
  }

  void text(std::string_view& value, std::size_t most, const char*) {
    std::uint16_t length = 0;
    number(length);
    check(length <= most, "a string is too long");
    take_text(value, length);
  }

  void rest(ByteView& value) {
    value = left_;
    left_ = {};
  }

  void mode(std::uint32_t& value) {
    number(value);
    check(value <= 07777, "a mode has bits beyond 07777");
  }

  void kind(DigestKind& value) {
    std::uint8_t number_of_kind = 1;
    number(number_of_kind);
    check(number_of_kind == 1 || number_of_kind == 2, "the kind of digest is unknown");
    value = number_of_kind == 2 ? DigestKind::sha256 : DigestKind::xxh3_128;
  }

  void digest(OptionalDigest& value) {
    number(value.size);
    check(value.size == 0 || value.size == 16 || value.size == 32, "a digest has neither 16 nor 32 bytes");
    digest_bytes(value);
  }

  void digests(std::vector<OptionalDigest>& values) {
    std::uint8_t size = 0;
    std::uint32_t count = 0;
    number(size);
    number(count);
    check(size == 16 || size == 32, "a digest has neither 16 nor 32 bytes");
    check(count >= 1, "no digests");
    check(error_ != nullptr || left_.size() / size == count, "the number of digests is wrong");
    if (error_ != nullptr) {
      return;
    }
    values.resize(count);
    for (OptionalDigest& value : values) {
      value.size = size;
      digest_bytes(value);
    }
  }

  void extent(ExtentId& value) {
    number(value.handle);
    number(value.offset);
    number(value.length);
    check(value.length >= 1 && value.length <= kMaxExtent, "an extent has no bytes or more than 1 GiB");
    check(value.offset <= kMaxFile - kMaxExtent, "an extent lies beyond the end of any file");
  }

  void attributes(Attributes& value) {
    std::uint8_t type = 1;
    number(type);
    check(type >= 1 && type <= 4, "the type of a file is unknown");
    value.type = static_cast<FileType>(type);
    mode(value.mode);
    number(value.uid);
    number(value.gid);
    number(value.size);
    number(value.modified_ns);
    number(value.accessed_ns);
    number(value.version);
  }

  void features(Features& value) {
    std::uint8_t count = 0;
    number(count);
    check(count <= kMaxFeatures, "too many features");
    for (std::size_t i = 0; i < count && error_ == nullptr; ++i) {
      std::uint8_t length = 0;
      number(length);
      check(length >= 1 && length <= kMaxFeature, "the name of a feature is empty or too long");
      take_text(value.names[i], length);
      value.count = i + 1;
    }
  }

  void entries(std::vector<DirectoryEntry>& values) {
    std::uint16_t count = 0;
    number(count);
    check(count <= kPageEntries, "too many directory entries");
    check(left_.size() >= count * (kAttributesSize + 2), "the message is too short");
    if (error_ != nullptr) {
      return;
    }
    values.resize(count);
    for (DirectoryEntry& entry : values) {
      std::string_view name;
      text(name, kMaxName, "name");
      entry.name = name;
      attributes(entry.attributes);
    }
  }

 private:
  ByteView take(std::size_t length) {
    check(length <= left_.size(), "the message is too short");
    if (error_ != nullptr) {
      return {};
    }
    const ByteView taken = left_.first(length);
    left_ = left_.subspan(length);
    return taken;
  }

  void take_text(std::string_view& value, std::size_t length) {
    const ByteView bytes = take(length);
    if (!bytes.empty()) {
      value = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
      check(std::memchr(value.data(), 0, value.size()) == nullptr, "a string holds a NUL byte");
    }
  }

  void digest_bytes(OptionalDigest& value) {
    const ByteView bytes = take(value.size);
    if (!bytes.empty()) {
      std::memcpy(value.value.bytes.data(), bytes.data(), bytes.size());
    }
  }

  ByteView left_;
  const char* error_ = nullptr;
};

/// The walk that Writer and Counter share; `Out` has put(data, size) and number(value).
template <typename Out>
class Walker {
 public:
  const char* error() const { return error_; }
  void check(bool fine, const char* why) {
    if (!fine && error_ == nullptr) {
      error_ = why;
    }
  }

  template <std::integral T>
  void number(T value) {
    const T wire = big_endian(value);
    out().put(&wire, sizeof wire);
  }
  template <std::size_t n>
  void array(const std::array<std::byte, n>& value) {
    out().put(value.data(), n);
  }
  void text(std::string_view value, std::size_t most, const char* what) {
    check(value.size() <= most, what);
    check(value.empty() || std::memchr(value.data(), 0, value.size()) == nullptr, what);
    number(static_cast<std::uint16_t>(value.size()));
    out().put(value.data(), value.size());
  }
  void rest(ByteView value) { out().put(value.data(), value.size()); }
  void mode(std::uint32_t value) {
    check(value <= 07777, "a mode has bits beyond 07777");
    number(value);
  }
  void kind(DigestKind value) { number(static_cast<std::uint8_t>(value)); }
  void digest(const OptionalDigest& value) {
    number(value.size);
    out().put(value.value.bytes.data(), value.size);
  }
  void digests(const std::vector<OptionalDigest>& values) {
    check(!values.empty(), "no digests");
    number(values.empty() ? std::uint8_t{0} : values.front().size);
    number(static_cast<std::uint32_t>(values.size()));
    for (const OptionalDigest& value : values) {
      out().put(value.value.bytes.data(), value.size);
    }
  }
  void extent(const ExtentId& value) {
    check(value.length >= 1 && value.length <= kMaxExtent, "an extent has no bytes or more than 1 GiB");
    check(value.offset <= kMaxFile - kMaxExtent, "an extent lies beyond the end of any file");
    number(value.handle);
    number(value.offset);
    number(value.length);
  }
  void attributes(const Attributes& value) {
    number(static_cast<std::uint8_t>(value.type));
    mode(value.mode);
    number(value.uid);
    number(value.gid);
    number(value.size);
    number(value.modified_ns);
    number(value.accessed_ns);
    number(value.version);
  }
  void features(const Features& value) {
    number(static_cast<std::uint8_t>(value.count));
    for (std::size_t i = 0; i < value.count; ++i) {
      number(static_cast<std::uint8_t>(value.names[i].size()));
      out().put(value.names[i].data(), value.names[i].size());
    }
  }
  void entries(const std::vector<DirectoryEntry>& values) {
    check(values.size() <= kPageEntries, "too many directory entries");
    number(static_cast<std::uint16_t>(values.size()));
    for (const DirectoryEntry& entry : values) {
      text(entry.name, kMaxName, "a name is longer than 255 bytes or holds a NUL byte");
      attributes(entry.attributes);
    }
  }

 private:
  Out& out() { return static_cast<Out&>(*this); }
  const char* error_ = nullptr;
};

/// Counts the bytes that a Writer would write, and finds what cannot be written.
class Counter : public Walker<Counter> {
 public:
  void put(const void*, std::size_t size) { size_ += size; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

/// Writes into memory that a Counter has found long enough.
class Writer : public Walker<Writer> {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  void put(const void* data, std::size_t size) {
    if (size != 0) {
      std::memcpy(at_, data, size);
      at_ += size;
    }
  }

 private:
  std::byte* at_;
};

}  // namespace waggle::protocol::wire
