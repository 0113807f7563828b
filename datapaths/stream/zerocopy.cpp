// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <deque>

#include "base/clock.hpp"
#include "base/tally.hpp"
#include "datapaths/stream/mapped_send.hpp"

namespace waggle::stream {
namespace {

/// The kernel sends straight from mapped pages of the file and says later, in the error queue of the socket, when it
/// needs them no more, and whether it copied them after all
/// (https://docs.kernel.org/networking/msg_zerocopy.html).
class ZeroCopy final : public Mover {
 public:
  ZeroCopy(bool granted, bool fallback, std::size_t window, std::size_t threshold)
      : granted_(granted), fallback_(fallback), window_(window), threshold_(threshold) {}

  static Result<std::unique_ptr<Mover>> open(Socket& socket, const Settings& settings) {
    const std::uint64_t window = settings.number("window");
    const std::uint64_t threshold = settings.number("threshold");
    int on = 1;
    socklen_t size = sizeof on;
    const bool granted = ::setsockopt(socket.fd(), SOL_SOCKET, SO_ZEROCOPY, &on, size) == 0 &&
                         ::getsockopt(socket.fd(), SOL_SOCKET, SO_ZEROCOPY, &on, &size) == 0 && on == 1;
    if (!granted && !settings.allow_fallback()) {
      return fail(Fault::missing, "the kernel does not grant SO_ZEROCOPY",
                  "choose another datapath, or allow the fallback");
    }
    return std::make_unique<ZeroCopy>(granted, settings.allow_fallback(), window, threshold);
  }

  /// Granting the option is one thing: where packets are delivered on this machine the kernel copies all the same.
  std::vector<Mode> modes() const override {
    return {{"zerocopy", "on", !granted_ ? "off" : copied_bytes_ > 0 ? "copied" : "on"}};
  }

  Counters counters() const override {
    return {
        {"zerocopy_sends", calls_}, {"zerocopy_copied_bytes", copied_bytes_}, {"zerocopy_plain_bytes", plain_bytes_}};
  }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    const bool plain = !granted_ || extent.id.length < threshold_;
    auto sent = send_mapped(extent, window_,
                            [&](ByteView bytes) { return plain ? put_plain(socket, bytes) : put(socket, bytes); });
    if (!socket.broken()) {
      WAGGLE_TRY(await_notices(socket, 0));
    }
    return sent;
  }

 private:
  Result<std::size_t> put_plain(Socket& socket, ByteView bytes) {
    auto sent = socket.out([&] { return ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    plain_bytes_ += sent.value_or(0);
    return sent;
  }

  Result<std::size_t> put(Socket& socket, ByteView bytes) {
    for (;;) {
      auto sent =
          socket.out([&] { return ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_ZEROCOPY); });
      if (sent) {
        ++calls_;
        under_way_.push_back(*sent);
        WAGGLE_TRY(read_notices(socket));
        return sent;
      }
      if (sent.error().system != ENOBUFS) {
        return sent;
      }
      // Too many pages or notices under way (RLIMIT_MEMLOCK, net.core.optmem_max).
      if (under_way_.empty()) {
        return fallback_ ? put_plain(socket, bytes)
                         : fail_errno("the kernel cannot pin the pages of the file", ENOBUFS,
                                      "raise ulimit -l or net.core.optmem_max, or allow the fallback");
      }
      WAGGLE_TRY(await_notices(socket, under_way_.size() - 1));
    }
  }

  /// Reads the notices that are there.
  Result<> read_notices(Socket& socket) {
    for (;;) {
      alignas(cmsghdr) char control[128];
      msghdr message{};
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      if (::recvmsg(socket.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        return errno == EAGAIN || errno == EINTR ? Result<>() : socket.failure(errno);
      }
      for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
        sock_extended_err notice;
        std::memcpy(&notice, CMSG_DATA(part), sizeof notice);
        if (notice.ee_origin == SO_EE_ORIGIN_ZEROCOPY) {
          settle(notice.ee_info, notice.ee_data, (notice.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0);
        }
      }
    }
  }

  /// A notice names the first and the last of the calls that are done; TCP gives them in order.
  void settle(std::uint32_t first, std::uint32_t last, bool copied) {
    for (std::uint32_t count = last - first + 1; count > 0 && !under_way_.empty(); --count) {
      copied_bytes_ += copied ? under_way_.front() : 0;
      under_way_.pop_front();
    }
  }

  /// Waits until at most `left` calls are without their notice.
  Result<> await_notices(Socket& socket, std::size_t left) {
    WAGGLE_TRY(read_notices(socket));
    socket.begin_out();
    Pace& pace = socket.pace_out();
    while (under_way_.size() > left) {
      pace.tick();
      const auto limit = socket.patience(pace).count();
      const timespec most{limit / 1'000'000'000, limit % 1'000'000'000};
      pollfd watched{socket.fd(), 0, 0};  // POLLERR is always watched: the error queue is not empty
      const int ready = ::ppoll(&watched, 1, limit > 0 ? &most : nullptr, nullptr);
      if ((watched.revents & (POLLHUP | POLLNVAL)) != 0) {
        return socket.failure(EPIPE);
      }
      // It may be something else that wakes us, time after time.
      if ((ready == 0 || limit == 1) && socket.overdue(pace)) {
        return socket.failure(EAGAIN);
      }
      WAGGLE_TRY(read_notices(socket));
    }
    return {};
  }

  bool granted_;
  bool fallback_;
  std::size_t window_;
  std::size_t threshold_;
  std::deque<std::size_t> under_way_;  ///< bytes of each call whose notice has not come
  Tally calls_;
  Tally copied_bytes_;
  Tally plain_bytes_;
};

CopyModel zerocopy_copies(Side, Incoming::Sink, const MoverUse& use) {
  if (use.settings.number("threshold") == kMaxExtent) {
    return {1, 0, "send: mapped page cache -> skb, since no extent reaches zerocopy.threshold"};
  }
  if (use.link == "nic") {
    return {0, 0, "MSG_ZEROCOPY: the device reads mapped page-cache pages"};
  }
  return {1, 0, "MSG_ZEROCOPY: local delivery copies the pinned pages after all (skb_copy_ubufs)"};
}

const Registration zerocopy_registration = add_mover(
    {
        .name = "zerocopy",
        .summary = "MSG_ZEROCOPY from the mapped file; completion notices are read",
        .copies = zerocopy_copies,
        .options = {{"window", "4MiB", OptionType::bytes(64 << 10, 16 << 20),
                     "bytes of the file that are mapped at a time"},
                    {"threshold", "16KiB", OptionType::bytes(0, kMaxExtent),
                     "shorter extents are sent without MSG_ZEROCOPY, which costs more there"}},
    },
    ZeroCopy::open);

}  // namespace
}  // namespace waggle::stream
