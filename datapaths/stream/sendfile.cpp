// SPDX-License-Identifier: BSD-2-Clause
#include <sys/sendfile.h>

#include "datapaths/stream/mover.hpp"

namespace waggle::stream {
namespace {

/// The kernel hangs page-cache pages into socket buffers; one call moves a whole extent.
class SendFile final : public Mover {
 public:
  Result<std::uint64_t> send(Socket& socket, const Outgoing& extent) override {
    std::uint64_t done = 0;
    while (done < extent.id.length) {
      auto at = static_cast<off_t>(extent.id.offset + done);
      WAGGLE_LET(sent, socket.out([&] { return ::sendfile(socket.fd(), extent.file, &at, extent.id.length - done); }));
      if (sent == 0) {
        break;
      }
      done += sent;
    }
    return done;
  }
};

CopyModel sendfile_copies(Side, Incoming::Sink, const MoverUse&) {
  return {0, 0, "sendfile: page-cache pages are referenced by the skb, not copied"};
}

const Registration sendfile_registration = add_mover(
    {
        .name = "sendfile",
        .summary = "sendfile: page cache to socket in one call per extent, nothing copied by the sender",
        .copies = sendfile_copies,
    },
    make<SendFile>);

}  // namespace
}  // namespace waggle::stream
