// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/received_numbers.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet::testing {

/// A client's end of a connection that does what a test wants and not what the transport demands: it stalls, repeats,
/// lies and forgets. Without I/O, clock and thread: whoever owns it carries its packets and hands it those that come.
/// What it does by itself it can be told to leave.
class RawPeer {
 public:
  using Bytes = std::vector<std::byte>;
  using Send = std::function<void(ByteView packet)>;
  static constexpr Terms kGenerous{.packet = 1472, .packet_limit = 1U << 20U, .message_limit = kMessageWindow};

  /// `connection` is the id that it chooses, `send` takes a whole packet to the server.
  RawPeer(std::uint64_t connection, const Terms& terms, Send send)
      : connection_(connection), terms_(terms), send_(std::move(send)) {}

  bool acknowledges = true;            ///< says what has arrived
  std::uint32_t path = UINT32_MAX;     ///< bytes: larger packets do not arrive here
  std::uint64_t room = 4096;           ///< packets that the server may send beyond what has arrived
  std::optional<std::uint64_t> hears;  ///< message limit that it states; as far as it has read otherwise

  /// A packet for this connection has come.
  void on_packet(ByteView packet);
  /// States what has arrived, when anything has since the last time.
  void acknowledge();

  /// HELLO, with the server's token if it has sent one.
  void hello();
  bool accepted() const { return accepted_; }
  bool closed() const { return closed_; }  ///< the server has said CLOSE

  /// A message, which announces an extent or not. Leaves at once.
  void message(ByteView message, const ExtentId* announces = nullptr);
  /// The beginning of a message of `size` bytes, whose rest does not come.
  void begin_message(ByteView bytes, std::size_t size);
  /// Announced extents so far: the next one is called so in its DATA packets.
  std::uint32_t announced() const { return announced_; }
  /// Payload that belongs at `offset` of its file, in packets of `piece` bytes.
  void data(std::uint32_t extent, std::uint32_t handle, std::uint64_t offset, ByteView payload,
            std::size_t piece = 1100);
  void ping() { packet(Type::ping, {}, true); }
  void close(CloseCode code);

  /// Whether all that asks for an acknowledgement has got one.
  bool settled() const { return outstanding_.empty(); }
  std::size_t outstanding() const { return outstanding_.size(); }
  /// Numbers below may be sent.
  std::uint64_t packet_limit() const { return packet_limit_; }
  std::uint64_t next_number() const { return next_; }
  /// Sends what was not acknowledged under new numbers.
  void again();
  /// Sends a packet that has left already once more, as it was: the `back`th last one, counted from 0.
  void repeat(std::size_t back);
  std::size_t kept() const { return past_.size(); }  ///< packets that can be repeated

  struct Message {
    Bytes bytes;
    std::optional<ExtentId> announces;
  };
  /// The server's next message, if it is whole.
  std::optional<Message> take_message();
  std::uint64_t payload_bytes() const { return payload_; }  ///< of the server's DATA packets so far

 private:
  void packet(Type type, ByteView body, bool matters, std::uint8_t flags = 0);
  void transmit(Bytes packet, bool matters);
  void stream(ByteView bytes);
  void on_ack(const AckBlock& ack);

  std::uint64_t connection_;
  Terms terms_;
  Send send_;
  Bytes token_;
  bool accepted_ = false;
  bool closed_ = false;
  std::uint64_t next_ = 0;
  std::uint64_t packet_limit_ = 0;
  std::map<std::uint64_t, Bytes> outstanding_;
  std::vector<Bytes> past_;
  std::uint64_t streamed_ = 0;  // bytes of messages sent
  std::uint32_t announced_ = 0;
  ReceivedNumbers received_;
  bool ack_due_ = false;
  MessageReceiver messages_;
  std::uint64_t payload_ = 0;
};

}  // namespace waggle::packet::testing
