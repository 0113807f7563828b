// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <deque>
#include <optional>

#include "base/tally.hpp"
#include "datapaths/stream/buffers.hpp"
#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/mover.hpp"

namespace waggle::stream {

/// A mover at work in a channel, with what it said of itself.
struct MoverInUse {
  const MoverInfo* info = nullptr;
  std::unique_ptr<Mover> mover;
};

/// How a channel begins and ends.
struct Opening {
  ByteView ahead = {};   ///< bytes that have come already, at most InputBuffer::kCapacity
  bool lingers = false;  ///< its end waits, for a second at most, until the peer has closed: so it can read last words
};

/// Frames on a TCP socket (frame.hpp); extents are moved by one mover each way.
///
/// Small frames share system calls both ways: what is sent collects in a buffer until somebody waits, and receiving
/// reads ahead, except where a mover is going to take large extents from the socket that must not end up in user memory
/// first. Payload that was read ahead all the same is delivered from the buffer and counted as "read_ahead_bytes";
/// small extents that left through the output buffer count as "batched_bytes".
///
/// Once receiving has ended, by end_receiving() or an error, what is still sent are last words: they have one time-out
/// in all, and the end of the channel a second, whatever the peer does.
class StreamChannel final : public Channel {
 public:
  /// `facts` come with the modes of the socket; those of the movers are added.
  StreamChannel(Socket socket, MoverInUse sender, MoverInUse receiver, Facts facts, const Opening& opening = {});
  ~StreamChannel() override;

  Facts facts() const override;
  Counters counters() const override;
  Result<> send(ByteView message) override;
  Result<Sent> send(ByteView message, const Outgoing& extent) override;
  Result<> flush() override;
  Result<> expect(const Incoming& incoming) override;
  void cancel(const ExtentId& id) override;
  void end_receiving() noexcept override;
  Result<Event> next(std::chrono::nanoseconds timeout) override;
  void abort() noexcept override { socket_.abort(); }

 private:
  /// After a large extent more like it are likely, until so many messages have come.
  static constexpr unsigned kLargeForgotten = 4;

  Result<> queue(const FrameHeader& header, ByteView message);
  Result<> flush_with(int flags);
  /// What is to be read may have come before sending broke: a peer's last words, say.
  Result<> flush_if_possible();
  Result<Sent> send_batched(const Outgoing& extent);
  Result<Sent> send_moved(const Outgoing& extent);

  /// Makes at least `total` bytes available in the input buffer, waiting as inside a frame.
  Result<> need(std::size_t total);
  Result<bool> await_frame(std::chrono::nanoseconds timeout);
  bool reads_ahead() const;
  Result<Event> take_message();
  Result<Event> take_extent(const ExtentId& id);
  Result<Incoming> match(const ExtentId& id);
  Result<Arrival> take_view(const Incoming& incoming);
  Result<Arrival> take_payload(const Incoming& incoming);
  Result<> deliver(const Incoming& incoming, ByteView bytes) const;
  Result<> usable_for_sending() const;
  /// Remembers an error after which nothing that arrives can be understood.
  std::unexpected<Error> receiving_breaks(Error error);
  /// Remembers an error after which the peer cannot understand what is sent.
  std::unexpected<Error> sending_breaks(Error error);

  Socket socket_;
  MoverInUse sender_;
  MoverInUse receiver_;
  Facts facts_;
  OutputBuffer output_;
  InputBuffer input_;
  std::deque<Incoming> expected_;
  std::optional<ExtentId> announced_;
  std::optional<Error> receiving_broken_;  ///< what next() returns from now on
  std::optional<Error> sending_broken_;    ///< what send() and flush() return from now on
  bool ended_ = false;                     ///< end_receiving() was called
  bool lingers_ = false;
  bool peer_closed_ = false;
  std::size_t large_expected_ = 0;          ///< of expected_
  unsigned since_large_ = kLargeForgotten;  ///< messages since the last large extent
  Tally read_ahead_bytes_;
  Tally batched_bytes_;
};

}  // namespace waggle::stream
