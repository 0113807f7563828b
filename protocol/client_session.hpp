// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/session.hpp"

namespace waggle::protocol {

/// What one message of the server means to the request that it answers.
struct Reply {
  std::uint32_t request = 0;
  Op of = Op::error;            ///< op of the request
  Op op = Op::error;            ///< op of the reply
  bool last = true;             ///< false for EXTENT: payload and DONE follow
  Result<> status;              ///< ERROR, a DONE that names a fault, a sink that failed, or digests that differ
  Attributes attributes;        ///< ATTRIBUTES
  ExtentId asked;               ///< READ: what was asked for
  ExtentId extent;              ///< EXTENT; for a DONE what arrived (length 0 at the end of the file)
  std::uint64_t version;        ///< DONE: Attributes::version after the payload was sent
  Digest digest;                ///< DONE: verified root digest of the payload
  std::uint64_t verify_ns = 0;  ///< DONE: time spent in hashing the payload
  ByteView message;             ///< the message itself, for what is decoded by the caller: ENTRIES, DIGESTS, ECHOED
};

/// The client's side of one connection, sans-I/O. Replies come in the order of the requests; quiet requests may go
/// without. Payload is verified here: a reply's `status` is good only when digests are equal.
class ClientSession {
 public:
  /// `nonce` must be fresh random bytes. `progress` may be nullptr.
  ClientSession(std::string token, DigestKind kind, const Nonce& nonce, Progress* progress);

  /// HELLO.
  Action start();
  /// The server's messages until ready(). An ERROR comes back as the Error that it carries.
  Result<Action> on_handshake(ByteView message);
  bool ready() const { return stage_ == Stage::ready; }
  DigestKind kind() const { return kind_; }
  /// Features that both sides have.
  const std::vector<std::string>& features() const { return features_; }

  /// Encodes a request and remembers it; the view is valid until the next call. RELEASE has no reply. `file_size`:
  /// bytes of the file that COMMIT and SYNC make durable, which they do not name.
  template <typename Body>
  Result<ByteView> request(const Body& body, std::uint8_t flags = 0, std::uint64_t file_size = 0);
  /// The DONE that ends the payload of the WRITE requested last.
  Result<ByteView> done(const Done& body);
  /// Bytes of files that the server may have to read or to make durable before it says anything (protocol/README.md,
  /// Time).
  std::uint64_t covered() const;

  /// Fault::protocol when the message fits no request, or announces what was not asked for.
  Result<Reply> on_message(ByteView message, const std::optional<ExtentId>& announced);
  /// Where a payload goes: of an extent that is asked for, or the one that was announced last.
  Incoming expect(const ExtentId& extent, Incoming::Sink sink, SharedFd file);
  Incoming expect(Incoming::Sink sink, SharedFd file) { return expect(receiving_.extent, sink, std::move(file)); }
  /// The payload has arrived. True when it is verified already, by a digest that came ahead of it.
  Result<bool> on_extent(const Arrival& arrival);
  /// Time spent in hashing the payload that on_extent() has just taken.
  std::uint64_t payload_verify_ns() const { return receiving_.verify_ns; }

 private:
  enum class Stage { hello, challenge, welcome, ready };
  struct Pending {
    std::uint32_t request;
    Op op;
    bool quiet;
    ExtentId extent;
    std::uint64_t covers;  ///< see covered()
  };

  bool offers(std::string_view feature) const;
  Result<Action> challenge(const Head& head, ByteView message);
  Result<Action> welcome(const Head& head, ByteView message);
  Result<Pending> match(const Head& head);
  Result<> announce(const Pending& pending, const Head& head, ByteView message, Reply& reply,
                    const std::optional<ExtentId>& announced);
  Result<> finish(const Pending& pending, const Head& head, ByteView message, Reply& reply);
  Result<> finish_extent(const Pending& pending, const Head& head, ByteView message, Reply& reply);

  Stage stage_ = Stage::hello;
  std::string token_;
  DigestKind kind_;
  Nonce nonce_;
  std::vector<std::string> features_;
  std::vector<std::byte> hello_;
  std::vector<std::byte> challenge_;
  MessageBuffer out_;
  std::uint32_t last_request_ = 0;
  std::deque<Pending> pending_;

  /// The READ whose payload is under way.
  struct Receiving {
    bool announced = false;
    bool arrived = false;
    ExtentId extent;
    OptionalDigest known;
    Result<> sink;
    Digest root;
    std::uint64_t verify_ns = 0;
  };
  Receiving receiving_;
  Digest empty_;  ///< digest of no bytes
  ExtentDigester digester_;
};

}  // namespace waggle::protocol
