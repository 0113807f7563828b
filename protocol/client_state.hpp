// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "protocol/client.hpp"
#include "protocol/client_session.hpp"

/// Private to client*.cpp: the pump that joins a ClientSession and a Channel, and what its calls share.
namespace waggle::protocol {

/// What one event brought.
struct Step {
  enum class Kind { reply, payload };
  Kind kind = Kind::reply;
  Reply reply;                  ///< Kind::reply
  ByteView view;                ///< Kind::payload into a view: valid until the next step
  bool verified = false;        ///< Kind::payload: by a digest that came ahead of it
  std::uint64_t verify_ns = 0;  ///< Kind::payload: spent in hashing it
};

/// What became of the source of a WRITE.
struct SentExtent {
  Result<> source;  ///< why the source did not hold what was asked; the server has been told
  Digest root;
};

struct Client::State {
  /// Request bytes that may wait for the server to read them: below what the socket buffers of both sides hold, so that
  /// neither side blocks in sending while the other does.
  static constexpr std::size_t kMostOutstanding = 32 * 1024;

  class Upload;
  class Fetch;
  class Store;

  State(std::unique_ptr<Channel> to, const ClientOptions& with, const Nonce& nonce)
      : channel(std::move(to)), options(with), session(with.token, with.digest, nonce, with.progress) {}

  /// What the channel still expects points into the session, which goes first.
  ~State() {
    if (channel) {
      channel->end_receiving();
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::unique_ptr<Channel> channel;
  ClientOptions options;
  ClientSession session;
  std::uint32_t last_handle = 0;
  std::optional<Error> broken;  ///< the connection cannot be used any more
  std::vector<std::byte> copy;  ///< content of a small file that could not be verified on arrival

  std::uint32_t new_handle() { return ++last_handle == 0 ? ++last_handle : last_handle; }

  /// Remembers an error after which the connection cannot be used; nothing that comes late is placed any more.
  std::unexpected<Error> breaks(Error error) {
    channel->end_receiving();
    broken = error;
    return std::unexpected(std::move(error));
  }

  /// Encodes and queues a request; see ClientSession::request().
  template <typename Body>
  Result<> post(const Body& body, std::uint8_t flags = 0, std::uint64_t file_size = 0) {
    if (broken) {
      return std::unexpected(*broken);
    }
    WAGGLE_LET(message, session.request(body, flags, file_size));
    if (auto sent = channel->send(message); !sent) {
      return breaks(last_words(std::move(sent).error()));
    }
    return {};
  }

  /// How long the server may say nothing now.
  std::chrono::nanoseconds patience() const;
  Result<> handshake();
  /// Why sending has failed: the server may have said so before it went, which tells more than that it is gone.
  Error last_words(Error error);
  Result<> flush();
  /// Asks for an extent and says beforehand where it goes, so that a mover which keeps large payload out of user memory
  /// gets all of it. The request is not sent when the datapath cannot serve such a sink.
  Result<> ask(const ExtentId& extent, const Destination& to);
  /// The last reply to an ask(): takes the expectation back when no payload came.
  Result<Reply> answer(std::string_view what, const ExtentId& asked, const Destination& to);
  Result<Step> handle(std::string_view what, const Event& event, const Destination& to);
  /// Waits for one event; payload that is announced goes to `to`. `what` names the operation in a timeout. Fails only
  /// when the connection is broken: a request that failed comes as a Reply.
  Result<Step> step(std::string_view what, const Destination& to = {});
  /// What is there already, without waiting; nothing when nothing is.
  Result<std::optional<Step>> try_step(const Destination& to);
  /// Steps up to the last reply of the oldest request that answers, whatever became of it.
  Result<Reply> reply(std::string_view what, const Destination& to = {});
  /// The same, and a request that failed is an error.
  Result<Reply> success(std::string_view what, const Destination& to = {});
  /// Root digest of what was just sent: from the mover's tap, else by reading the file once more.
  Result<Digest> sent_digest(ExtentDigester& tap, int file, const ExtentId& extent);
  /// Requests a WRITE and sends its payload and DONE; the reply is still to come.
  Result<SentExtent> send_extent(const ExtentId& extent, int file, std::uint8_t flags, ExtentDigester& tap);
};

/// Reads an extent of a local file and digests it. Fault::changed when the file ends before the extent does.
Result<Digest> digest_of_file(ExtentDigester& digester, int file, const ExtentId& extent);

/// Says which path an error is about.
inline Error about(std::string_view path, Error error) {
  error.what = std::string(path) + ": " + error.what;
  return error;
}

}  // namespace waggle::protocol
