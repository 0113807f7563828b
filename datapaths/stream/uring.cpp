// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "datapaths/stream/uring_ring.hpp"

namespace waggle::stream {
namespace {

struct Sending {
  bool zero_copy = false;  ///< granted by the kernel
  bool report = true;      ///< ask whether bytes were copied after all (Linux 6.2)
  Tally zero_copy_sends;
  Tally copied_bytes;
};

/// After an error of the connection: operations that are still under way must not outlive the call, since they use the
/// buffers. Shutting the socket down ends them, in the direction that has failed: a peer that stopped sending may still
/// be told so.
Error abandon(Ring& ring, Socket& socket, int direction, Error error) {
  ::shutdown(socket.fd(), direction);
  if (!socket.broken()) {
    static_cast<void>(socket.failure(ECONNABORTED));
  }
  ring.settle(socket);
  return error;
}

/// One extent on its way out: file -> slot -> socket. Slots are used in turn; while one is sent the others are read
/// into. One send at a time keeps the bytes in order.
class SendPass {
 public:
  SendPass(Ring& ring, Socket& socket, const Outgoing& extent, Sending& how)
      : ring_(ring), socket_(socket), extent_(extent), how_(how), end_(extent.id.length) {
    ring_.reset();
  }

  Result<std::uint64_t> run() {
    while (sent_ < end_ || ring_.busy() || notices_ > 0) {
      start_reads();
      start_send();
      const Pace* pace = sending_ || notices_ > 0 ? &socket_.pace_out() : nullptr;
      auto turned = ring_.turn(socket_, pace, [&](const Completion& done) { take(done); });
      if (!turned || lost_) {
        return std::unexpected(abandon(ring_, socket_, SHUT_RDWR, lost_ ? *lost_ : turned.error()));
      }
    }
    return failed_ ? Result<std::uint64_t>(std::unexpected(*failed_)) : end_;
  }

 private:
  Slot& slot_at(std::uint64_t turn) { return ring_.slots()[turn % ring_.slots().size()]; }
  bool whole(const Slot& slot) const { return slot.filled == slot.length || slot.at + slot.filled >= end_; }

  void start_reads() {
    while (next_ < end_ && slot_at(reads_).free()) {
      Slot& slot = slot_at(reads_++);
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(slot.memory.size(), end_ - next_));
      slot = Slot{.memory = slot.memory, .at = next_, .length = length, .taken = true};
      next_ += length;
      ring_.read(slot, extent_.file, extent_.id.offset + slot.at);
    }
  }

  void start_send() {
    Slot& slot = slot_at(sends_);
    if (sending_ || sent_ >= end_ || !slot.taken || slot.busy || !whole(slot)) {
      return;
    }
    if (extent_.digest != nullptr && digested_ == sends_) {  // a send that moved nothing is tried again
      extent_.digest->update(slot.memory.first(slot.filled));
      ++digested_;
    }
    sending_ = true;
    if (how_.zero_copy) {
      ring_.send_zero_copy(slot, socket_.fd(), how_.report);
    } else {
      ring_.send(slot, socket_.fd());
    }
  }

  void take(const Completion& done) {
    if (done.notice) {
      take_notice(done);
    } else if (done.operation == Completion::Operation::read) {
      take_read(done);
    } else {
      take_send(done);
    }
  }

  void take_read(const Completion& done) {
    Slot& slot = done.slot;
    if (done.result > 0) {
      slot.filled += static_cast<std::size_t>(done.result);
    }
    const bool again = done.result == -EINTR || done.result == -EAGAIN;
    if (done.result <= 0 && !again && slot.at + slot.filled < end_) {
      end_ = slot.at + slot.filled;  // the file has ended, or cannot be read from here on
      failed_ =
          done.result == 0 ? std::nullopt : std::optional(fail_errno("cannot read the file", -done.result).error());
    }
    if (!whole(slot)) {
      ring_.read(slot, extent_.file, extent_.id.offset + slot.at + slot.filled);
    }
  }

  void take_send(const Completion& done) {
    Slot& slot = done.slot;
    sending_ = false;
    if (done.expects) {
      ++slot.notices;
      ++notices_;
      ++how_.zero_copy_sends;
    }
    if (done.result == -EINVAL && how_.zero_copy && how_.report) {
      how_.report = false;  // Linux 6.0 and 6.1
    } else if (done.result < 0 && !(done.result == -EAGAIN && socket_.keeps_trying(socket_.pace_out())) &&
               done.result != -EINTR) {
      lost_ = socket_.failure(-done.result).error();
    } else if (done.result > 0) {
      const auto bytes = static_cast<std::size_t>(done.result);
      slot.unnoticed += done.expects ? bytes : 0;
      slot.emptied += bytes;
      sent_ += bytes;
      socket_.count_out(bytes);
    }
    if (slot.emptied == slot.filled) {
      slot.taken = false;
      ++sends_;
    }
  }

  void take_notice(const Completion& done) {
    how_.copied_bytes += done.copied ? std::exchange(done.slot.unnoticed, 0) : 0;
    --done.slot.notices;
    --notices_;
    socket_.begin_out();  // the peer has taken all bytes of a send
  }

  Ring& ring_;
  Socket& socket_;
  const Outgoing& extent_;
  Sending& how_;
  std::uint64_t end_;           ///< bytes of the extent that there are, as far as is known
  std::uint64_t next_ = 0;      ///< first byte that no slot was given to
  std::uint64_t sent_ = 0;      ///< bytes
  std::uint64_t reads_ = 0;     ///< slots that were given away so far
  std::uint64_t sends_ = 0;     ///< slots that were sent so far
  std::uint64_t digested_ = 0;  ///< slots that were digested so far
  std::size_t notices_ = 0;     ///< notices that are still to come
  bool sending_ = false;
  std::optional<Error> failed_;  ///< of the file
  std::optional<Error> lost_;    ///< of the connection
};

/// One extent on its way in: socket -> slot -> file. While one slot is written, the next is received into.
class ReceivePass {
 public:
  ReceivePass(Ring& ring, Socket& socket, const Incoming& extent, std::uint64_t from)
      : ring_(ring), socket_(socket), extent_(extent), received_(from), placed_(from) {
    ring_.reset();
  }

  Result<> run() {
    while (ring_.busy() || (placed_ < extent_.id.length && !failed_)) {
      start_receive();
      auto turned =
          ring_.turn(socket_, receiving_ ? &socket_.pace_in() : nullptr, [&](const Completion& done) { take(done); });
      if (!turned || lost_) {
        return std::unexpected(abandon(ring_, socket_, SHUT_RD, lost_ ? *lost_ : turned.error()));
      }
    }
    return failed_ ? Result<>(std::unexpected(*failed_)) : Result<>();
  }

 private:
  void start_receive() {
    Slot& slot = ring_.slots()[next_ % ring_.slots().size()];
    if (receiving_ || failed_ || received_ == extent_.id.length || !slot.free()) {
      return;
    }
    const std::uint64_t left = extent_.id.length - received_;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(slot.memory.size(), left));
    slot = Slot{.memory = slot.memory, .at = received_, .length = length, .taken = true};
    receiving_ = true;
    ring_.receive(slot, socket_.fd());
  }

  void take(const Completion& done) {
    if (done.operation == Completion::Operation::receive) {
      take_receive(done);
    } else {
      take_write(done);
    }
  }

  void take_receive(const Completion& done) {
    Slot& slot = done.slot;
    receiving_ = false;
    if (done.result > 0) {
      slot.filled = static_cast<std::size_t>(done.result);
      received_ += slot.filled;
      socket_.count_in(slot.filled);
      ++next_;
      extent_.digest->update(slot.memory.first(slot.filled));
      place(slot);
      return;
    }
    slot.taken = false;
    if (done.result == 0) {
      lost_ = socket_.closed().error();
    } else if (done.result != -EINTR && !(done.result == -EAGAIN && socket_.keeps_trying(socket_.pace_in()))) {
      lost_ = socket_.failure(-done.result).error();
    }
  }

  void place(Slot& slot) {
    if (failed_) {
      slot.taken = false;
    } else if (extent_.sink == Incoming::Sink::file && slot.emptied < slot.filled) {
      ring_.write(slot, extent_.file.get(), extent_.id.offset + slot.at + slot.emptied);
    } else {
      placed_ += slot.filled;
      slot.taken = false;
    }
  }

  void take_write(const Completion& done) {
    if (done.result > 0) {
      done.slot.emptied += static_cast<std::size_t>(done.result);
    } else if (done.result != -EINTR && done.result != -EAGAIN && !failed_) {
      const int error = done.result == 0 ? EIO : -done.result;
      failed_ = fail_errno("cannot write the file", error, error == ENOSPC ? "free some space" : "").error();
    }
    place(done.slot);
  }

  Ring& ring_;
  Socket& socket_;
  const Incoming& extent_;
  std::uint64_t received_;  ///< bytes that came off the socket
  std::uint64_t placed_;    ///< bytes that are where they belong
  std::uint64_t next_ = 0;  ///< slots that were filled so far
  bool receiving_ = false;
  std::optional<Error> failed_;  ///< of the file
  std::optional<Error> lost_;    ///< of the connection
};

/// File and socket through registered buffers; one system call starts several operations and collects several others.
class Uring final : public Mover {
 public:
  Uring(std::unique_ptr<Ring> ring, std::string asked, bool zero_copy)
      : ring_(std::move(ring)), asked_(std::move(asked)) {
    sending_.zero_copy = zero_copy;
  }

  static Result<std::unique_ptr<Mover>> open(Socket&, const Settings& settings) {
    std::uint64_t buffer = settings.number("buffer");
    const std::uint64_t depth = settings.number("depth");
    const std::string asked = settings.text("send");
    buffer -= buffer % Mapping::page_size();
    WAGGLE_LET(ring, Ring::open({buffer, depth, settings.allow_fallback()}));
    const bool zero_copy = asked != "plain" && ring->registered() && ring->offers(IORING_OP_SEND_ZC);
    if (asked == "zc" && !zero_copy && !settings.allow_fallback()) {
      return fail(Fault::missing, "this kernel has no zero-copy send for io_uring",
                  "leave uring.send at auto, or allow the fallback");
    }
    return std::make_unique<Uring>(std::move(ring), asked, zero_copy);
  }

  std::vector<Mode> modes() const override {
    const std::string granted = !sending_.zero_copy ? "plain" : sending_.copied_bytes > 0 ? "zc, copied" : "zc";
    return {{"buffers", "registered", ring_->registered() ? "registered" : "plain"}, {"send", asked_, granted}};
  }

  Counters counters() const override {
    return {{"uring_turns", ring_->turns()},
            {"zerocopy_sends", sending_.zero_copy_sends},
            {"zerocopy_copied_bytes", sending_.copied_bytes}};
  }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    return SendPass(*ring_, socket, extent, sending_).run();
  }

  Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from) override {
    return ReceivePass(*ring_, socket, extent, from).run();
  }

 private:
  std::unique_ptr<Ring> ring_;
  std::string asked_;
  Sending sending_;
};

CopyModel uring_copies(Side side, Incoming::Sink sink, const MoverUse& use) {
  if (side == Side::receiver) {
    return sink == Incoming::Sink::file ? CopyModel{2, 0, "recv: skb -> buffer; write_fixed: buffer -> page cache"}
                                        : CopyModel{1, 0, "recv: skb -> buffer"};
  }
  if (use.settings.text("send") == "plain") {
    return {2, 0, "read_fixed: page cache -> buffer; send: buffer -> skb"};
  }
  return use.link == "nic"
             ? CopyModel{1, 0, "read_fixed: page cache -> buffer; send_zc: the device reads the buffer"}
             : CopyModel{2, 0, "read_fixed: page cache -> buffer; send or send_zc: buffer -> skb, for local delivery"};
}

Result<> available() {
  WAGGLE_TRY(Ring::open({Mapping::page_size(), 1, true}));
  return {};
}

const Registration uring_registration = add_mover(
    {
        .name = "uring",
        .summary = "io_uring: registered buffers, file and socket overlapped",
        .receives = true,
        .discards = true,
        .copies = uring_copies,
        .options = {{"buffer", "1MiB", OptionType::bytes(Mapping::page_size(), 4 << 20), "bytes per operation"},
                    {"depth", "4", OptionType::number(2, 16), "buffers, which is how many operations overlap"},
                    {"send", "auto", OptionType::choice({"auto", "zc", "plain"}),
                     "zc: send without a copy; plain; auto: zc where the kernel has it"}},
        .available = available,
    },
    Uring::open);

}  // namespace
}  // namespace waggle::stream
