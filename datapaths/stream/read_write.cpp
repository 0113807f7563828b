// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "datapaths/stream/mover.hpp"

namespace waggle::stream {
namespace {

/// The plain way: a buffer between file and socket. The buffer is small enough to stay in the cache, so the second copy
/// and the digest read what the first copy has just written there.
class ReadWrite final : public Mover {
 public:
  explicit ReadWrite(std::size_t size) : size_(size), buffer_(std::make_unique_for_overwrite<std::byte[]>(size)) {}

  static Result<std::unique_ptr<Mover>> open(Socket&, const Settings& settings) {
    const std::uint64_t size = settings.number("buffer");
    return std::make_unique<ReadWrite>(size);
  }

  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    std::uint64_t done = 0;
    while (done < extent.id.length) {
      WAGGLE_LET(got, read_file(extent.file, piece(extent.id.length - done), extent.id.offset + done));
      if (got == 0) {
        break;
      }
      const ByteView bytes(buffer_.get(), got);
      if (extent.digest != nullptr) {
        extent.digest->update(bytes);
      }
      WAGGLE_TRY(socket.send(bytes));
      done += got;
    }
    return done;
  }

  Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from) override {
    while (from < extent.id.length) {
      WAGGLE_LET(got, socket.receive(piece(extent.id.length - from)));
      const ByteView bytes(buffer_.get(), got);
      extent.digest->update(bytes);
      if (extent.sink == Incoming::Sink::file) {
        WAGGLE_TRY(write_file(extent.file.get(), bytes, extent.id.offset + from));
      }
      from += got;
    }
    return {};
  }

 private:
  ByteSpan piece(std::uint64_t left) { return {buffer_.get(), std::min<std::size_t>(size_, left)}; }

  std::size_t size_;
  std::unique_ptr<std::byte[]> buffer_;
};

CopyModel read_write_copies(Side side, Incoming::Sink sink, const MoverUse&) {
  if (side == Side::sender) {
    return {2, 0, "pread: page cache -> buffer; send: buffer -> skb"};
  }
  return sink == Incoming::Sink::file ? CopyModel{2, 0, "recv: skb -> buffer; pwrite: buffer -> page cache"}
                                      : CopyModel{1, 0, "recv: skb -> buffer"};
}

const Registration read_write_registration = add_mover(
    {
        .name = "read_write",
        .summary = "pread and send, recv and pwrite, through one buffer",
        .receives = true,
        .discards = true,
        .through_memory = true,
        .copies = read_write_copies,
        .options = {{"buffer", "1MiB", OptionType::bytes(4 << 10, 16 << 20),
                     "bytes moved per call; larger than the L2 cache costs memory traffic, smaller costs wake-ups"}},
    },
    ReadWrite::open);

}  // namespace
}  // namespace waggle::stream
