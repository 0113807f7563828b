// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/uring_ring.hpp"

#include <fmt/format.h>

#include <cstring>

namespace waggle::stream {
namespace {

// Linux 6.2; the header that comes with liburing 2.3 is older.
constexpr unsigned kReportUsage = 1U << 3;  // IORING_SEND_ZC_REPORT_USAGE
constexpr unsigned kWasCopied = 1U << 31;   // IORING_NOTIF_USAGE_ZC_COPIED

}  // namespace

Result<std::unique_ptr<Ring>> Ring::open(const Shape& shape) {
  std::unique_ptr<Ring> ring(new Ring());
  const auto entries = static_cast<unsigned>(4 * shape.depth);
  // Completions are worked off when this thread enters the kernel anyway; older kernels interrupt it for them.
  int error = ::io_uring_queue_init(entries, &ring->ring_, IORING_SETUP_COOP_TASKRUN);
  if (error == -EINVAL) {
    error = ::io_uring_queue_init(entries, &ring->ring_, 0);
  }
  if (error < 0) {
    return fail(Fault::missing, fmt::format("cannot make an io_uring: {}", std::strerror(-error)),
                "see sysctl kernel.io_uring_disabled, or choose another datapath");
  }
  ring->open_ = true;
  WAGGLE_LET(memory, Mapping::anonymous(shape.buffer * shape.depth));
  ring->memory_ = std::move(memory);
  std::vector<iovec> buffers(shape.depth);
  ring->slots_.resize(shape.depth);
  for (std::size_t i = 0; i < shape.depth; ++i) {
    ring->slots_[i].memory = ring->memory_.bytes().subspan(i * shape.buffer, shape.buffer);
    buffers[i] = {ring->slots_[i].memory.data(), shape.buffer};
  }
  error = ::io_uring_register_buffers(&ring->ring_, buffers.data(), static_cast<unsigned>(shape.depth));
  ring->registered_ = error == 0;
  if (!ring->registered_ && !shape.allow_unregistered) {
    return fail(Fault::missing, fmt::format("cannot register the buffers of an io_uring: {}", std::strerror(-error)),
                "raise ulimit -l, set uring.buffer lower, or allow the fallback");
  }
  return ring;
}

Ring::~Ring() {
  if (open_) {
    ::io_uring_queue_exit(&ring_);
  }
  if (busy()) {
    memory_.leave();  // operations that could not be waited for may still write into it
  }
}

void Ring::settle(Socket& socket) {
  while (busy() && turn(socket, nullptr, [](const Completion&) {})) {
  }
}

bool Ring::offers(int opcode) {
  io_uring_probe* probe = ::io_uring_get_probe_ring(&ring_);
  const bool there = probe != nullptr && ::io_uring_opcode_supported(probe, opcode) != 0;
  ::io_uring_free_probe(probe);
  return there;
}

void Ring::reset() {
  for (Slot& slot : slots_) {
    slot = Slot{.memory = slot.memory};
  }
}

io_uring_sqe* Ring::entry() {
  // There are more entries than operations that a slot can have, so there always is one.
  return ::io_uring_get_sqe(&ring_);
}

void Ring::tag(io_uring_sqe* entry, Completion::Operation operation, Slot& slot) {
  const auto index = static_cast<std::uint64_t>(&slot - slots_.data());
  entry->user_data = static_cast<std::uint64_t>(operation) << 32 | index;
  slot.busy = true;
  ++under_way_;
}

void Ring::read(Slot& slot, int file, std::uint64_t offset) {
  io_uring_sqe* made = entry();
  std::byte* to = slot.memory.data() + slot.filled;
  const auto length = static_cast<unsigned>(slot.length - slot.filled);
  if (registered_) {
    ::io_uring_prep_read_fixed(made, file, to, length, offset, static_cast<int>(&slot - slots_.data()));
  } else {
    ::io_uring_prep_read(made, file, to, length, offset);
  }
  tag(made, Completion::Operation::read, slot);
}

void Ring::write(Slot& slot, int file, std::uint64_t offset) {
  io_uring_sqe* made = entry();
  const std::byte* from = slot.memory.data() + slot.emptied;
  const auto length = static_cast<unsigned>(slot.filled - slot.emptied);
  if (registered_) {
    ::io_uring_prep_write_fixed(made, file, from, length, offset, static_cast<int>(&slot - slots_.data()));
  } else {
    ::io_uring_prep_write(made, file, from, length, offset);
  }
  tag(made, Completion::Operation::write, slot);
}

void Ring::receive(Slot& slot, int socket) {
  io_uring_sqe* made = entry();
  ::io_uring_prep_recv(made, socket, slot.memory.data() + slot.filled, slot.length - slot.filled, 0);
  tag(made, Completion::Operation::receive, slot);
}

void Ring::send(Slot& slot, int socket) {
  io_uring_sqe* made = entry();
  ::io_uring_prep_send(made, socket, slot.memory.data() + slot.emptied, slot.filled - slot.emptied, MSG_NOSIGNAL);
  tag(made, Completion::Operation::send, slot);
}

void Ring::send_zero_copy(Slot& slot, int socket, bool report) {
  io_uring_sqe* made = entry();
  ::io_uring_prep_send_zc_fixed(made, socket, slot.memory.data() + slot.emptied, slot.filled - slot.emptied,
                                MSG_NOSIGNAL, report ? kReportUsage : 0U, static_cast<unsigned>(&slot - slots_.data()));
  tag(made, Completion::Operation::send, slot);
}

Result<> Ring::submit_and_wait(Socket& socket, const Pace* pace) {
  ++turns_;
  const auto limit = pace != nullptr ? socket.patience(*pace).count() : 0;
  __kernel_timespec patience{limit / 1'000'000'000, limit % 1'000'000'000};
  io_uring_cqe* first = nullptr;
  const int done = limit > 0 ? ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &patience, nullptr)
                             : ::io_uring_submit_and_wait(&ring_, 1);
  if (done == -ETIME) {
    return socket.overdue(*pace) ? Result<>(socket.failure(EAGAIN)) : Result<>();
  }
  // The kernel may be short of memory or of room for completions: those that are there make some.
  const bool again = done == -EINTR || ((done == -EAGAIN || done == -EBUSY) && ::io_uring_cq_ready(&ring_) > 0);
  if (done < 0 && !again) {
    return fail_errno("cannot use the io_uring", -done);
  }
  return {};
}

Completion Ring::decode(const io_uring_cqe& entry) {
  const bool notice = (entry.flags & IORING_CQE_F_NOTIF) != 0;
  Slot& slot = slots_[entry.user_data & 0xffffffff];
  if (!notice) {
    slot.busy = false;
    --under_way_;
  }
  return {.operation = static_cast<Completion::Operation>(entry.user_data >> 32),
          .slot = slot,
          .result = entry.res,
          .notice = notice,
          .expects = !notice && (entry.flags & IORING_CQE_F_MORE) != 0,
          .copied = notice && (static_cast<unsigned>(entry.res) & kWasCopied) != 0};
}

}  // namespace waggle::stream
