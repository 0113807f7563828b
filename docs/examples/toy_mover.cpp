// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <array>

#include "datapaths/stream/mover.hpp"

namespace waggle::stream {
namespace {

/// A whole datapath: read_write with a page on the stack. Copied to datapaths/stream/ and named in the meson.build
/// there, it can be listed, run, compared and is tested, with no other edit.
class Toy final : public Mover {
 public:
  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    std::uint64_t done = 0;
    while (done < extent.id.length) {
      WAGGLE_LET(got, read_file(extent.file, page(extent.id.length - done), extent.id.offset + done));
      if (got == 0) {  // the file has ended before the extent: the channel fills up and says so
        break;
      }
      const ByteView bytes(page_.data(), got);
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
      WAGGLE_LET(got, socket.receive(page(extent.id.length - from)));
      const ByteView bytes(page_.data(), got);
      extent.digest->update(bytes);
      WAGGLE_TRY(write_file(extent.file.get(), bytes, extent.id.offset + from));
      from += got;
    }
    return {};
  }

 private:
  ByteSpan page(std::uint64_t left) { return {page_.data(), std::min<std::size_t>(page_.size(), left)}; }
  std::array<std::byte, 4096> page_;
};

CopyModel toy_copies(Side side, Incoming::Sink, const MoverUse&) {
  return side == Side::sender ? CopyModel{2, 0, "pread: page cache -> page; send: page -> skb"}
                              : CopyModel{2, 0, "recv: skb -> page; pwrite: page -> page cache"};
}

const Registration toy_registration = add_mover(
    {.name = "toy", .summary = "an example: one page at a time", .receives = true, .copies = toy_copies}, make<Toy>);

}  // namespace
}  // namespace waggle::stream
