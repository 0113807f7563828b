// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include "datapaths/stream/mapped_send.hpp"

namespace waggle::stream {
namespace {

std::uint64_t size_of(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// Makes room for [at, at + length) first, so that a full disk is an error here and no SIGBUS later.
Result<> make_room(int file, std::uint64_t at, std::size_t length) {
  if (::fallocate(file, 0, static_cast<off_t>(at), static_cast<off_t>(length)) == 0) {
    return {};
  }
  if (errno != EOPNOTSUPP) {
    return fail_errno("cannot make room in the file", errno, errno == ENOSPC ? "free some space" : "");
  }
  if (size_of(file) < at + length && ::ftruncate(file, static_cast<off_t>(at + length)) != 0) {
    return fail_errno("cannot make the file longer");
  }
  return {};
}

Result<> cut_by_another() {
  return fail(Fault::changed, "the destination was cut while it was written", "let nothing else write to it");
}

/// Takes back what make_room() gave beyond the last byte that arrived.
void trim(int file, std::uint64_t size_before, std::uint64_t arrived_until) {
  const std::uint64_t size = std::max(size_before, arrived_until);
  if (size_of(file) > size && ::ftruncate(file, static_cast<off_t>(size)) != 0) {
    return;  // the extent has failed already, and its error says more than this one would
  }
}

/// The file is memory: send() reads and recv() writes its pages through a mapping.
class Mmap final : public Mover {
 public:
  explicit Mmap(std::size_t window) : window_(window) {}

  static Result<std::unique_ptr<Mover>> open(Socket&, const Settings& settings) {
    WAGGLE_LET(window, settings.number("window", 64 * 1024, 16U << 20));
    return std::make_unique<Mmap>(window);
  }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    return send_mapped(extent, window_, [&](ByteView bytes) {
      return socket.out([&] { return ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    });
  }

  Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from) override {
    const std::uint64_t size_before = size_of(extent.file.get());
    std::uint64_t at = extent.id.offset + from;
    const std::uint64_t end = extent.id.offset + extent.id.length;
    while (at < end) {
      const std::uint64_t start = socket.received();
      auto filled =
          fill_window(socket, extent, at, static_cast<std::size_t>(std::min<std::uint64_t>(window_, end - at)));
      at += socket.received() - start;
      if (!filled) {
        trim(extent.file.get(), size_before, at);
        return filled;
      }
    }
    return {};
  }

 private:
  static Result<> fill_window(Socket& socket, const Incoming& extent, std::uint64_t at, std::size_t length) {
    WAGGLE_TRY(make_room(extent.file.get(), at, length));
    WAGGLE_LET(mapping, Mapping::of(extent.file.get(), at, length, PROT_READ | PROT_WRITE, MAP_POPULATE));
    ByteSpan left = mapping.bytes();
    while (!left.empty()) {
      auto got = socket.receive(left);
      if (!got) {
        return got.error().system == EFAULT ? cut_by_another() : Result<>(std::unexpected(std::move(got).error()));
      }
      const ByteView arrived = left.first(*got);
      if (!guarded(arrived, [&] { extent.digest->update(arrived); })) {
        return cut_by_another();
      }
      left = left.subspan(*got);
    }
    return {};
  }

  std::size_t window_;
};

CopyModel copies(Side side, Incoming::Sink, std::string_view) {
  return side == Side::sender ? CopyModel{1, 0, "send: mapped page cache -> skb"}
                              : CopyModel{1, 0, "recv: skb -> mapped page cache"};
}

const Registration registration = add_mover(
    {
        .name = "mmap",
        .summary = "send from and receive into windows of the mapped file",
        .receives = true,
        .copies = copies,
        .options = {{"window", "4MiB", "bytes of the file that are mapped at a time"}},
    },
    Mmap::open);

}  // namespace
}  // namespace waggle::stream
