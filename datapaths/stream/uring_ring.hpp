// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <liburing.h>

#include <memory>
#include <vector>

#include "base/mapping.hpp"
#include "base/tally.hpp"
#include "datapaths/stream/mover.hpp"

namespace waggle::stream {

/// One registered buffer of a ring and the piece of an extent that is in it.
struct Slot {
  ByteSpan memory;
  std::uint64_t at = 0;       ///< first byte, from the beginning of the extent
  std::size_t length = 0;     ///< bytes that belong here
  std::size_t filled = 0;     ///< bytes that are here
  std::size_t emptied = 0;    ///< bytes that have left for the other side
  std::size_t unnoticed = 0;  ///< bytes sent without a copy that the kernel may still read
  std::size_t notices = 0;    ///< how many notices those wait for
  bool taken = false;         ///< in use for bytes of the extent
  bool busy = false;          ///< an operation is under way in it

  bool free() const { return !taken && !busy && notices == 0; }
};

/// What became of an operation.
struct Completion {
  enum class Operation : std::uint8_t { read, send, receive, write };
  Operation operation;
  Slot& slot;
  int result;    ///< bytes, or -errno
  bool notice;   ///< not the operation itself, but that the kernel is done with the slot's bytes
  bool expects;  ///< such a notice will follow
  bool copied;   ///< with a notice: the bytes were copied after all
};

/// An io_uring with registered buffers.
class Ring {
 public:
  struct Shape {
    std::size_t buffer;       ///< bytes of each
    std::size_t depth;        ///< how many
    bool allow_unregistered;  ///< go on when the kernel does not register them
  };
  static Result<std::unique_ptr<Ring>> open(const Shape& shape);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  bool registered() const { return registered_; }
  bool offers(int opcode);

  std::vector<Slot>& slots() { return slots_; }
  /// Starts over with empty slots; nothing may be under way.
  void reset();

  // Each starts one operation with the next turn(). The slot is busy until its completion.
  void read(Slot& slot, int file, std::uint64_t offset);   ///< into the free end of the slot
  void write(Slot& slot, int file, std::uint64_t offset);  ///< what was not emptied yet
  void receive(Slot& slot, int socket);                    ///< into the free end of the slot
  void send(Slot& slot, int socket);                       ///< what was not emptied yet
  void send_zero_copy(Slot& slot, int socket, bool report);

  /// Submits what was started and hands each completion to `handle`, after waiting for one. `pace` is that of the
  /// socket's operation among those waited for, nullptr when there is none.
  template <typename Handle>
  Result<> turn(Socket& socket, const Pace* pace, Handle handle);
  /// Waits for all that is under way, after what it works on was shut down.
  void settle(Socket& socket);
  /// Whether anything is under way, notices not counted.
  bool busy() const { return under_way_ > 0; }
  std::uint64_t turns() const { return turns_; }

 private:
  Ring() = default;
  io_uring_sqe* entry();
  void tag(io_uring_sqe* entry, Completion::Operation operation, Slot& slot);
  Result<> submit_and_wait(Socket& socket, const Pace* pace);
  Completion decode(const io_uring_cqe& entry);

  io_uring ring_{};
  bool open_ = false;
  bool registered_ = false;
  Mapping memory_;
  std::vector<Slot> slots_;
  std::size_t under_way_ = 0;
  Tally turns_;
};

template <typename Handle>
Result<> Ring::turn(Socket& socket, const Pace* pace, Handle handle) {
  WAGGLE_TRY(submit_and_wait(socket, pace));
  io_uring_cqe* entry = nullptr;
  while (::io_uring_peek_cqe(&ring_, &entry) == 0) {
    const Completion completion = decode(*entry);
    ::io_uring_cqe_seen(&ring_, entry);
    handle(completion);
  }
  return {};
}

}  // namespace waggle::stream
