// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/mapping.hpp"
#include "base/tally.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/stream/mover.hpp"

namespace waggle::stream {
namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  std::size_t size = 0;  ///< bytes, as granted

  static Result<Pipe> open(std::size_t wanted, bool fallback) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return fail_errno("cannot make a pipe");
    }
    Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    ::fcntl(ends[0], F_SETPIPE_SZ, static_cast<int>(wanted));
    pipe.size = static_cast<std::size_t>(::fcntl(ends[0], F_GETPIPE_SZ));
    if (pipe.size < wanted) {
      WAGGLE_TRY(grant({"pipe", std::to_string(wanted), std::to_string(pipe.size)}, fallback,
                       "raise fs.pipe-max-size or set splice.pipe lower"));
    }
    return pipe;
  }
};

/// Bytes that went through a pipe were never in user memory: the digest reads them where they landed, in the page
/// cache, through a mapping that is made ahead of them.
class ReadBack {
 public:
  explicit ReadBack(const Incoming& extent) : extent_(extent) {}

  Result<> digest(std::uint64_t from, std::size_t length) {
    while (length > 0) {
      if (from >= start_ + window_.bytes().size()) {
        start_ = from;
        const auto ahead = static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, extent_.id.length - from));
        WAGGLE_LET(mapping, Mapping::of(extent_.file.get(), extent_.id.offset + from, ahead, PROT_READ, 0));
        window_ = std::move(mapping);
      }
      ByteView landed = window_.bytes().subspan(from - start_);
      landed = landed.first(std::min(length, landed.size()));
      WAGGLE_TRY(guarded(landed, [&] { extent_.digest->update(landed); }));
      from += landed.size();
      length -= landed.size();
    }
    return {};
  }

 private:
  static constexpr std::size_t kWindow = 4U << 20;

  const Incoming& extent_;
  Mapping window_;
  std::uint64_t start_ = 0;  ///< of the window, in bytes from the beginning of the extent
};

/// A pipe between file and socket takes references to pages from one and gives them to the other.
class Splice final : public Mover {
 public:
  Splice(Pipe pipe, std::size_t wanted, bool fallback) : pipe_(std::move(pipe)), wanted_(wanted), fallback_(fallback) {
    granted_ = pipe_.size;
  }

  static Result<std::unique_ptr<Mover>> open(Socket&, const Settings& settings) {
    const std::uint64_t wanted = settings.number("pipe");
    WAGGLE_LET(pipe, Pipe::open(wanted, settings.allow_fallback()));
    return std::make_unique<Splice>(std::move(pipe), wanted, settings.allow_fallback());
  }

  std::vector<Mode> modes() const override { return {{"pipe", std::to_string(wanted_), std::to_string(granted_)}}; }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    WAGGLE_TRY(begin());
    std::uint64_t done = 0;
    while (done < extent.id.length) {
      const std::uint64_t left = extent.id.length - done;
      WAGGLE_LET(held, fill_from_file(extent.file, extent.id.offset + done, std::min<std::uint64_t>(pipe_.size, left)));
      if (held == 0) {
        break;
      }
      const unsigned more = held < left ? SPLICE_F_MORE : 0U;
      for (std::size_t gone = 0; gone < held;) {
        WAGGLE_LET(moved, socket.out([&] {
          return ::splice(pipe_.read.get(), nullptr, socket.fd(), nullptr, held - gone, SPLICE_F_MOVE | more);
        }));
        if (moved == 0) {
          return done;  // the file was cut before the next page in the pipe was read from the disk
        }
        gone += moved;
        done += moved;
      }
    }
    empty_ = true;
    return done;
  }

  Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from) override {
    WAGGLE_TRY(begin());
    ReadBack back(extent);
    while (from < extent.id.length) {
      const auto most = std::min<std::uint64_t>(pipe_.size, extent.id.length - from);
      WAGGLE_LET(held, socket.in([&] {
        return ::splice(socket.fd(), nullptr, pipe_.write.get(), nullptr, most, SPLICE_F_MOVE);
      }));
      WAGGLE_TRY(empty_into_file(extent.file.get(), extent.id.offset + from, held));
      WAGGLE_TRY(back.digest(from, held));
      from += held;
    }
    empty_ = true;
    return {};
  }

 private:
  /// What an extent that failed has left in the pipe belongs nowhere: the next one gets a new pipe.
  Result<> begin() {
    if (!empty_) {
      WAGGLE_LET(fresh, Pipe::open(wanted_, fallback_));
      pipe_ = std::move(fresh);
      granted_ = pipe_.size;
    }
    empty_ = false;
    return {};
  }

  Result<std::size_t> fill_from_file(int file, std::uint64_t offset, std::size_t length) {
    auto at = static_cast<loff_t>(offset);
    for (;;) {
      const ssize_t held = ::splice(file, &at, pipe_.write.get(), nullptr, length, SPLICE_F_MOVE);
      if (held >= 0) {
        return static_cast<std::size_t>(held);
      }
      if (errno != EINTR) {
        return fail_errno("cannot splice from the file");
      }
    }
  }

  Result<> empty_into_file(int file, std::uint64_t offset, std::size_t length) {
    auto at = static_cast<loff_t>(offset);
    while (length > 0) {
      const ssize_t moved = ::splice(pipe_.read.get(), nullptr, file, &at, length, SPLICE_F_MOVE);
      if (moved == 0) {
        return fail(Fault::io, "the file takes no more bytes");
      }
      if (moved < 0 && errno != EINTR) {
        return fail_errno("cannot splice into the file", errno, errno == ENOSPC ? "free some space" : "");
      }
      length -= static_cast<std::size_t>(std::max<ssize_t>(moved, 0));
    }
    return {};
  }

  Pipe pipe_;
  std::size_t wanted_;
  bool fallback_;
  Tally granted_;      ///< bytes
  bool empty_ = true;  ///< the pipe, as far as is known
};

CopyModel splice_copies(Side side, Incoming::Sink, const MoverUse&) {
  return side == Side::sender
             ? CopyModel{0, 0, "splice: page-cache pages are referenced by the pipe and then by the skb"}
             : CopyModel{1, 0, "splice: skb pages are referenced by the pipe, then copied into the page cache"};
}

const Registration splice_registration = add_mover(
    {
        .name = "splice",
        .summary = "splice through a pipe: file to socket, socket to file",
        .receives = true,
        .copies = splice_copies,
        .options = {{"pipe", "1MiB", OptionType::bytes(4 << 10, 16 << 20),
                     "bytes that the pipe holds, if the kernel grants it"}},
    },
    Splice::open);

}  // namespace
}  // namespace waggle::stream
