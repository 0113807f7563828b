// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/put_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <limits>

#include "harness/store/pinned.hpp"
#include "harness/store/spool.hpp"

namespace waggle::cli {
namespace {

/// Longer than any file of proc or sysfs that is worth sending; some of them never end.
constexpr std::uint64_t kMostMadeUp = std::uint64_t{1} << 30U;

bool same_time(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

Result<> Source::unchanged() const {
  if (spooled) {
    return {};
  }
  struct stat now{};
  if (::fstat(file.get(), &now) != 0) {
    return fail_errno("cannot look at the file");
  }
  if (static_cast<std::uint64_t>(now.st_size) != size || !same_time(now.st_mtim, modified) ||
      !same_time(now.st_ctim, changed)) {
    return fail(Fault::changed, "the file changed while it was sent", std::string(kSendAgain));
  }
  return {};
}

Result<Source> open_source(const std::filesystem::path& path, const GoOn& go_on) {
  WAGGLE_LET(file, store::open_regular(path.native(), O_RDONLY));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot read '{}'", path.native()));
  }
  Source source{.file = std::move(file),
                .size = static_cast<std::uint64_t>(status.st_size),
                .mode = status.st_mode & 0777U,
                .modified = status.st_mtim,
                .changed = status.st_ctim};
  if (status.st_size != 0 && !store::is_made_up(source.file.get(), status)) {
    return source;
  }
  auto spooled = store::spool(source.file.get(), kMostMadeUp, go_on);
  if (!spooled) {
    spooled.error().what = fmt::format("'{}': {}", path.native(), spooled.error().what);
    return std::unexpected(std::move(spooled).error());
  }
  source.spooled = spooled->size != 0 || source.size != 0;
  source.size = spooled->size;
  if (spooled->file) {
    source.file = std::move(spooled->file);
  }
  return source;
}

Result<Source> stdin_source(const GoOn& go_on) {
  auto spooled = store::spool(STDIN_FILENO, std::numeric_limits<std::uint64_t>::max(), go_on);
  if (!spooled) {
    spooled.error().what = fmt::format("stdin: {}", spooled.error().what);
    return std::unexpected(std::move(spooled).error());
  }
  UniqueFd file = std::move(spooled->file);
  if (!file) {
    file.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  return Source{.file = std::move(file), .size = spooled->size, .mode = 0666, .spooled = true};
}

}  // namespace waggle::cli
