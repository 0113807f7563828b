// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/server_session.hpp"
#include "protocol/testing/memory_files.hpp"

/// Hostile bytes against the codec and against a server's session. The input is a list of events: one byte of kind, two
/// of length, then as many bytes. Whatever decodes must encode to the same bytes; whatever a session is told, it may
/// only answer with well-formed messages and move extents inside what was asked or announced.
namespace {

using namespace waggle;
using namespace waggle::protocol;

void require(bool fine, const char* what) {
  if (!fine) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

void round_trip(ByteView bytes) {
  const auto message = decode_any(bytes);
  if (!message) {
    return;
  }
  MessageBuffer buffer;
  const auto again =
      std::visit([&](const auto& body) { return encode(buffer, message->head.request, body, message->head.flags); },
                 message->body);
  require(again.has_value(), "what was decoded cannot be encoded");
  require(std::ranges::equal(*again, bytes), "decoding and encoding changed the bytes");
}

/// Takes the input apart.
class Input {
 public:
  explicit Input(ByteView bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  unsigned number() {
    if (left_.empty()) {
      return 0;
    }
    const auto value = static_cast<unsigned>(left_.front());
    left_ = left_.subspan(1);
    return value;
  }
  ByteView bytes() {
    const std::size_t high = number();
    const std::size_t wanted = high * 256 + number();
    const std::size_t length = std::min(left_.size(), wanted);
    const ByteView taken = left_.first(length);
    left_ = left_.subspan(length);
    return taken;
  }

 private:
  ByteView left_;
};

/// What a WRITE names, when `message` is one: a channel announces it with the message.
std::optional<ExtentId> announced_by(ByteView message) {
  const auto any = decode_any(message);
  const auto* write = any ? std::get_if<Write>(&any->body) : nullptr;
  return write != nullptr ? std::optional(write->extent) : std::nullopt;
}

/// Drives one connection the way Server does.
class Driver {
 public:
  Driver() : tree_(std::make_shared<testing::Tree>()), files_(tree_) { tree_->put("f", "content of a file"); }

  void authenticate() {
    MessageBuffer buffer;
    knock(*encode(buffer, 0, Hello{.features = own_features()}), false);
    knock(*encode(buffer, 0, Proof{}), false);
    require(session_.has_value(), "an open server lets nobody in");
  }

  /// False when the session closed.
  bool message(ByteView bytes, bool announce) {
    if (!session_) {
      return knock(bytes, announce);
    }
    const auto announced = announce ? announced_by(bytes) : std::nullopt;
    Action action = session_->on_message(bytes, announced);
    while (action.kind == Action::Kind::send_extent) {
      const auto head = decode_head(bytes);
      require(head && head->op == Op::read, "payload is sent that nobody asked for");
      const auto asked = decode<Read>(*head, bytes);
      require(asked && asked->extent.handle == action.outgoing.id.handle &&
                  asked->extent.offset == action.outgoing.id.offset &&
                  action.outgoing.id.length <= asked->extent.length,
              "another extent is sent than was asked for");
      check_message(action);
      action = session_->on_sent({action.outgoing.id.length, {}});
    }
    if (action.kind == Action::Kind::expect) {
      require(announced && action.incoming.id == *announced, "another extent is expected than was announced");
      if (action.incoming.digest != nullptr) {
        action.incoming.digest->update(bytes);
      }
      action = session_->on_extent({*announced, {}, {}});
    }
    check_message(action);
    return action.kind != Action::Kind::close;
  }

  void stray_extent() {
    if (session_) {
      session_->on_extent({{1, 0, 1}, {}, {}});
    }
  }

 private:
  bool knock(ByteView bytes, bool announces) {
    const auto answer = handshake_.on_message(bytes, announces);
    require(answer.reply.empty() || decode_any(answer.reply).has_value(), "the handshake sends a malformed message");
    if (answer.verdict == Admission::Verdict::admit) {
      session_.emplace(files_, options_, handshake_.agreement());
    }
    return answer.verdict != Admission::Verdict::refuse;
  }

  static void check_message(const Action& action) {
    if (!action.message.empty()) {
      require(decode_any(action.message).has_value(), "the session sends a malformed message");
    }
  }

  std::shared_ptr<testing::Tree> tree_;
  testing::MemoryFiles files_;
  ServerOptions options_{.token = {}, .most_clients = 1, .most_handles = 8};
  ServerHandshake handshake_{options_, Nonce{}};
  std::optional<ServerSession> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  round_trip(bytes);
  Input input(bytes);
  Driver driver;
  const unsigned start = input.number();
  if (start % 4 != 0) {
    driver.authenticate();
  }
  while (!input.empty()) {
    const unsigned kind = input.number();
    if (kind == 0xff) {
      driver.stray_extent();
      break;
    }
    // A copy of its own, so that the sanitizer sees every read beyond its end.
    const ByteView part = input.bytes();
    const std::vector<std::byte> message(part.begin(), part.end());
    round_trip(message);
    if (!driver.message(message, kind % 2 == 0)) {
      break;
    }
  }
  return 0;
}
