// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "base/write_all.hpp"

namespace waggle::store {
namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;

Result<UniqueFd> make_nameless() {
  const char* const wished = std::getenv("TMPDIR");
  const std::string directory = wished != nullptr && *wished != '\0' ? wished : "/var/tmp";
  UniqueFd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {  // not every file system has such files
    std::string name = directory + "/.waggle-spool-XXXXXX";
    file.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (!file || ::unlink(name.c_str()) != 0) {
      return fail_errno(fmt::format("cannot make a temporary file in '{}'", directory), errno,
                        "set TMPDIR to a directory with room");
    }
  }
  return file;
}

}  // namespace

Result<Spooled> spool(int from, std::uint64_t most, const std::function<Result<>()>& go_on) {
  Spooled spooled;
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kPiece);
  while (true) {
    WAGGLE_TRY(go_on());
    const ssize_t got = ::read(from, buffer.get(), kPiece);
    if (got == 0) {
      return spooled;
    }
    if (got < 0) {
      if (errno == EAGAIN) {
        pollfd bytes{.fd = from, .events = POLLIN, .revents = 0};
        ::poll(&bytes, 1, -1);
        continue;
      }
      if (errno == EINTR) {
        continue;
      }
      return fail_errno("cannot read the source");
    }
    if (!spooled.file) {
      WAGGLE_LET(file, make_nameless());
      spooled.file = std::move(file);
    }
    spooled.size += static_cast<std::uint64_t>(got);
    if (spooled.size > most) {
      return fail(Fault::no_space, fmt::format("the source goes on after {}", format_bytes(most)));
    }
    if (!write_all(spooled.file.get(), {buffer.get(), static_cast<std::size_t>(got)})) {
      return fail_errno("cannot write the temporary file", errno, "set TMPDIR to a directory with room");
    }
  }
}

}  // namespace waggle::store
