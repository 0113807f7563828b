// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::cli {

/// What `put` says to whoever sends a file that others write to.
inline constexpr std::string_view kSendAgain =
    "send it again, or what it holds now: harness put - HOST:PORT/NAME < FILE";

/// A file of known length, open for sending.
struct Source {
  UniqueFd file;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;  ///< permission bits
  bool spooled = false;    ///< a copy that nobody else has
  timespec modified{};
  timespec changed{};

  /// What was sent is of one state of the file: it has neither grown nor shrunk nor been written. Its time of change is
  /// the only one that nobody sets, so that counts, though a new name or mode moves it as well.
  Result<> unchanged() const;
};

/// Asked while a source without a known length is read: an error ends that.
using GoOn = std::function<Result<>()>;

/// A regular file, links followed. One whose length stat(2) does not know, as those of proc and sysfs, is read to its
/// end first. Fault::usage when it is anything else.
Result<Source> open_source(const std::filesystem::path& path, const GoOn& go_on);
/// All that comes on stdin, read to its end first, with the mode that a new file would get without a umask.
Result<Source> stdin_source(const GoOn& go_on);

}  // namespace waggle::cli
