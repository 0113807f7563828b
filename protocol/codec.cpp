// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/wire.hpp"

namespace waggle::protocol {
namespace {

template <typename... Bodies>
constexpr bool known_op(Op op, const std::variant<Bodies...>*) {
  return ((op == Bodies::kOp) || ...);
}

std::unexpected<Error> malformed(Op op, const char* why) {
  return fail(Fault::protocol, fmt::format("malformed {}: {}", name(op), why));
}

/// SETATTR alone has fields whose meaning hangs on the flags: those without their flag are zero, so that one meaning
/// has one encoding.
const char* flags_fault(const Head& head, const SetAttr& body) {
  const bool fine = ((head.flags & flag::kMode) != 0 || body.mode == 0) &&
                    ((head.flags & flag::kOwner) != 0 || (body.uid == 0 && body.gid == 0)) &&
                    ((head.flags & flag::kTimes) != 0 || (body.modified_ns == 0 && body.accessed_ns == 0));
  return fine ? nullptr : "a field is set without its flag";
}
const char* flags_fault(const Head&, const auto&) {
  return nullptr;
}

template <typename... Bodies>
Result<AnyMessage> decode_one_of(const Head& head, ByteView message, const std::variant<Bodies...>*) {
  Result<AnyMessage> result = fail(Fault::protocol, "unknown op");
  const auto attempt = [&]<typename Body>(std::type_identity<Body>) {
    if (head.op == Body::kOp) {
      auto body = decode<Body>(head, message);
      if (body) {
        result = AnyMessage{head, std::move(*body)};
      } else {
        result = std::unexpected(std::move(body).error());
      }
    }
  };
  (attempt(std::type_identity<Bodies>{}), ...);
  return result;
}

constexpr std::array kFaults{Fault::usage,    Fault::missing, Fault::not_found, Fault::exists,    Fault::denied,
                             Fault::no_space, Fault::changed, Fault::corrupt,   Fault::peer_gone, Fault::timeout,
                             Fault::protocol, Fault::busy,    Fault::cancelled, Fault::io};

}  // namespace

std::string_view name(Op op) {
  switch (op) {
    case Op::hello: return "HELLO";
    case Op::challenge: return "CHALLENGE";
    case Op::proof: return "PROOF";
    case Op::welcome: return "WELCOME";
    case Op::lookup: return "LOOKUP";
    case Op::getattr: return "GETATTR";
    case Op::setattr: return "SETATTR";
    case Op::read: return "READ";
    case Op::write: return "WRITE";
    case Op::create: return "CREATE";
    case Op::commit: return "COMMIT";
    case Op::mkdir: return "MKDIR";
    case Op::remove: return "REMOVE";
    case Op::rename: return "RENAME";
    case Op::truncate: return "TRUNCATE";
    case Op::readdir: return "READDIR";
    case Op::sync: return "SYNC";
    case Op::release: return "RELEASE";
    case Op::digest: return "DIGEST";
    case Op::echo: return "ECHO";
    case Op::done: return "DONE";
    case Op::ok: return "OK";
    case Op::attributes: return "ATTRIBUTES";
    case Op::extent: return "EXTENT";
    case Op::entries: return "ENTRIES";
    case Op::digests: return "DIGESTS";
    case Op::echoed: return "ECHOED";
    case Op::error: return "ERROR";
  }
  return "unknown";
}

std::uint16_t wire_code(Fault fault) {
  const auto at = std::find(kFaults.begin(), kFaults.end(), fault);
  return static_cast<std::uint16_t>(at - kFaults.begin() + 1);
}

ErrorReply error_reply(const Error& error) {
  return {wire_code(error.fault), std::string_view(error.what).substr(0, kMaxText),
          std::string_view(error.hint).substr(0, kMaxText)};
}

Fault fault_of_code(std::uint16_t code) {
  return code >= 1 && code <= kFaults.size() ? kFaults[code - 1U] : Fault::io;
}

bool Features::has(std::string_view name) const {
  return std::find(names.begin(), names.begin() + count, name) != names.begin() + count;
}

bool Features::operator==(const Features& other) const {
  return std::equal(names.begin(), names.begin() + count, other.names.begin(), other.names.begin() + other.count);
}

const Features& own_features() {
  static const Features features{{"xxh3-128", "sha256", "resume", "digests", "echo"}, 5};
  return features;
}

std::string_view needed_feature(DigestKind kind) {
  return kind == DigestKind::sha256 ? "sha256" : "xxh3-128";
}

std::string_view needed_feature(Op op, std::uint8_t flags) {
  switch (op) {
    case Op::create: return (flags & flag::kResume) != 0 ? "resume" : "";
    case Op::release: return (flags & flag::kKeep) != 0 ? "resume" : "";
    case Op::digest: return "digests";
    case Op::echo: return "echo";
    default: return "";
  }
}

bool Echo::operator==(const Echo& other) const {
  return response_size == other.response_size && std::ranges::equal(bytes, other.bytes);
}

bool Echoed::operator==(const Echoed& other) const {
  return std::ranges::equal(bytes, other.bytes);
}

ByteSpan MessageBuffer::take(std::size_t size) {
  if (size > capacity_) {
    capacity_ = std::max<std::size_t>(size, 512);
    bytes_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  }
  return {bytes_.get(), size};
}

Result<Head> decode_head(ByteView message) {
  if (message.size() < kHeadSize) {
    return fail(Fault::protocol, fmt::format("a message of {} bytes is too short", message.size()));
  }
  wire::Reader reader(message.first(kHeadSize));
  std::uint8_t op = 0;
  std::uint16_t reserved = 0;
  Head head;
  reader.number(op);
  reader.number(head.flags);
  reader.number(reserved);
  reader.number(head.request);
  head.op = static_cast<Op>(op);
  if (!known_op(head.op, static_cast<const AnyBody*>(nullptr))) {
    return fail(Fault::protocol, fmt::format("unknown op 0x{:02x}", op));
  }
  if (reserved != 0) {
    return malformed(head.op, "reserved bits are set");
  }
  return head;
}

template <typename Body>
Result<ByteView> encode(MessageBuffer& buffer, std::uint32_t request, const Body& body, std::uint8_t flags) {
  wire::Counter counter;
  Body::fields(body, counter);
  if (counter.error() != nullptr) {
    return fail(Fault::usage, fmt::format("cannot send {}: {}", name(Body::kOp), counter.error()));
  }
  const std::size_t size = kHeadSize + counter.size();
  if (size > kMaxMessage) {
    return fail(Fault::usage, fmt::format("cannot send {}: {} bytes are more than a message holds ({})",
                                          name(Body::kOp), size, kMaxMessage));
  }
  const ByteSpan bytes = buffer.take(size);
  wire::Writer writer(bytes.data());
  writer.number(static_cast<std::uint8_t>(Body::kOp));
  writer.number(flags);
  writer.number(std::uint16_t{0});
  writer.number(request);
  Body::fields(body, writer);
  return bytes;
}

template <typename Body>
Result<Body> decode(const Head& head, ByteView message) {
  if ((head.flags & ~Body::kFlags) != 0) {
    return malformed(head.op, "unknown flags");
  }
  Result<Body> body;
  wire::Reader reader(message.subspan(std::min(kHeadSize, message.size())));
  Body::fields(*body, reader);
  const char* why = reader.error();
  if (why == nullptr) {
    why = flags_fault(head, *body);
  }
  if (why != nullptr) {
    return malformed(head.op, why);
  }
  return body;
}

Result<AnyMessage> decode_any(ByteView message) {
  WAGGLE_LET(head, decode_head(message));
  return decode_one_of(head, message, static_cast<const AnyBody*>(nullptr));
}

#define WAGGLE_CODEC(Body)                                                                    \
  template Result<ByteView> encode(MessageBuffer&, std::uint32_t, const Body&, std::uint8_t); \
  template Result<Body> decode(const Head&, ByteView);
WAGGLE_CODEC(Hello)
WAGGLE_CODEC(Challenge)
WAGGLE_CODEC(Proof)
WAGGLE_CODEC(Welcome)
WAGGLE_CODEC(Lookup)
WAGGLE_CODEC(GetAttr)
WAGGLE_CODEC(SetAttr)
WAGGLE_CODEC(Read)
WAGGLE_CODEC(Write)
WAGGLE_CODEC(Create)
WAGGLE_CODEC(Commit)
WAGGLE_CODEC(MakeDirectory)
WAGGLE_CODEC(Remove)
WAGGLE_CODEC(Rename)
WAGGLE_CODEC(Truncate)
WAGGLE_CODEC(ReadDir)
WAGGLE_CODEC(Sync)
WAGGLE_CODEC(Release)
WAGGLE_CODEC(DigestRange)
WAGGLE_CODEC(Echo)
WAGGLE_CODEC(Done)
WAGGLE_CODEC(Ok)
WAGGLE_CODEC(AttributesReply)
WAGGLE_CODEC(Extent)
WAGGLE_CODEC(Entries)
WAGGLE_CODEC(Digests)
WAGGLE_CODEC(Echoed)
WAGGLE_CODEC(ErrorReply)
#undef WAGGLE_CODEC

}  // namespace waggle::protocol
