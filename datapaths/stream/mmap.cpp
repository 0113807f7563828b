// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include "datapaths/stream/mapped_send.hpp"

namespace waggle::stream {
namespace {

/// For file systems that cannot reserve room. Unlike ftruncate() a write never shortens a file that somebody else has
/// made longer in the meantime, and the byte is one that the extent is about to bring.
Result<> lengthen(int file, std::uint64_t end) {
  struct stat status{};
  if (::fstat(file, &status) != 0) {
    return fail_errno("cannot tell the size of the file");
  }
  constexpr std::byte kZero{};
  return static_cast<std::uint64_t>(status.st_size) < end ? write_file(file, {&kZero, 1}, end - 1) : Result<>();
}

/// Makes room for [at, at + length) first, so that a full disk is an error here and no SIGBUS later. What the file has
/// grown by stays when less arrives: by then others may have written there, or behind.
Result<> make_room(Socket& socket, int file, std::uint64_t at, std::size_t length) {
  while (::fallocate(file, 0, static_cast<off_t>(at), static_cast<off_t>(length)) != 0) {
    if (errno == EOPNOTSUPP) {
      return lengthen(file, at + length);
    }
    if (errno != EINTR || socket.aborted()) {
      return fail_errno("cannot make room in the file", errno, errno == ENOSPC ? "free some space" : "");
    }
  }
  return {};
}

Result<> cut_by_another() {
  return fail(Fault::changed, "the destination was cut while it was written", "let nothing else write to it");
}

/// The file is memory: send() reads and recv() writes its pages through a mapping.
class Mmap final : public Mover {
 public:
  explicit Mmap(std::size_t window) : window_(window) {}

  static Result<std::unique_ptr<Mover>> open(Socket&, const Settings& settings) {
    const std::uint64_t window = settings.number("window");
    return std::make_unique<Mmap>(window);
  }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    return send_mapped(extent, window_, [&](ByteView bytes) {
      return socket.out([&] { return ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    });
  }

  Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from) override {
    while (from < extent.id.length) {
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(window_, extent.id.length - from));
      WAGGLE_TRY(fill_window(socket, extent, extent.id.offset + from, length));
      from += length;
    }
    return {};
  }

 private:
  static Result<> fill_window(Socket& socket, const Incoming& extent, std::uint64_t at, std::size_t length) {
    WAGGLE_TRY(make_room(socket, extent.file.get(), at, length));
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

CopyModel mmap_copies(Side side, Incoming::Sink, const MoverUse&) {
  return side == Side::sender ? CopyModel{1, 0, "send: mapped page cache -> skb"}
                              : CopyModel{1, 0, "recv: skb -> mapped page cache"};
}

const Registration mmap_registration = add_mover(
    {
        .name = "mmap",
        .summary = "send from and receive into windows of the mapped file",
        .receives = true,
        .copies = mmap_copies,
        .options = {{"window", "4MiB", OptionType::bytes(64 << 10, 16 << 20),
                     "bytes of the file that are mapped at a time"}},
    },
    Mmap::open);

}  // namespace
}  // namespace waggle::stream
