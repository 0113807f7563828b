// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/get_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/bytes.hpp"

namespace waggle::cli {
namespace {

/// Bytes that wait for their verification: as much memory is taken.
constexpr std::uint64_t kWindow = std::uint64_t{8} * 1024 * 1024;
constexpr std::size_t kPiece = std::size_t{128} * 1024;

Result<> write_all(int to, ByteView bytes, const std::function<Result<>()>& go_on) {
  while (!bytes.empty()) {
    WAGGLE_TRY(go_on());
    const ssize_t wrote = ::write(to, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = to, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return fail_errno("cannot write to stdout");
    }
  }
  return {};
}

/// Memory in the place of a file: payload goes to its own offset, and what has been written out is given back.
class Window {
 public:
  static Result<Window> make(std::uint64_t size) {
    UniqueFd memory(::memfd_create("waggle-stream", MFD_CLOEXEC));
    if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno("cannot make a window in memory");
    }
    return Window(SharedFd(std::move(memory)));
  }

  const SharedFd& file() const { return file_; }

  Result<> write_out(std::uint64_t offset, std::uint64_t length, int to, const std::function<Result<>()>& go_on) {
    for (std::uint64_t done = 0; done < length;) {
      const std::size_t want = std::min<std::uint64_t>(length - done, kPiece);
      const ssize_t got = ::pread(file_.get(), buffer_.get(), want, static_cast<off_t>(offset + done));
      if (got <= 0) {
        return fail_errno("cannot read the window in memory", got == 0 ? EIO : errno);
      }
      WAGGLE_TRY(write_all(to, {buffer_.get(), static_cast<std::size_t>(got)}, go_on));
      done += static_cast<std::uint64_t>(got);
    }
    if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) != 0) {
      return fail_errno("cannot empty the window in memory");
    }
    return {};
  }

 private:
  explicit Window(SharedFd file) : file_(std::move(file)) {}
  SharedFd file_;
  std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(kPiece);
};

}  // namespace

Result<> stream_file(protocol::Client& client, const protocol::Client::File& file, int to,
                     const std::function<Result<>()>& go_on) {
  const std::uint64_t size = file.attributes.size;
  WAGGLE_LET(window, Window::make(size));
  for (std::uint64_t offset = 0; offset < size; offset += kWindow) {
    WAGGLE_TRY(go_on());
    const std::uint64_t length = std::min(kWindow, size - offset);
    WAGGLE_LET(got, client.read(file, offset, length, {Incoming::Sink::file, window.file()}));
    if (got.bytes != length || got.version != file.attributes.version) {
      return fail(Fault::changed, "the file changed while it was sent", "fetch it again");
    }
    WAGGLE_TRY(window.write_out(offset, length, to, go_on));
  }
  return {};
}

}  // namespace waggle::cli
