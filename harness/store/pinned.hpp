// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

/// Opening a FIFO releases whoever waits at its other end, and opening a device may do anything at all. So every file
/// is looked at first, through a descriptor that opens nothing (O_PATH), and then opened through that descriptor.
namespace waggle::store {

/// A file that was looked at and not opened.
struct Pinned {
  UniqueFd fd;  ///< O_PATH
  struct stat status{};
};

/// Opens what `pinned` holds, whatever has its name by now. `flags` as for open(2), without O_NOFOLLOW; O_CLOEXEC and
/// O_NOCTTY are added. Where there is no /proc, `by_name` opens it once more, which must find the same file
/// (Fault::changed). `path` is for error texts.
Result<UniqueFd> reopen(const Pinned& pinned, std::string_view path, int flags,
                        const std::function<UniqueFd(int flags)>& by_name);

/// Opens a regular file of this machine, links followed; Fault::usage, and nothing opened, when it is anything else.
Result<UniqueFd> open_regular(const std::string& path, int flags);

bool same_file(const struct stat& one, const struct stat& other);

/// The kernel makes the content up while it is read (proc, sysfs and the like): its size tells nothing of it. Says no
/// for an empty file, which only reading tells from one that is made up.
bool is_made_up(int file, const struct stat& status);

/// "a directory", "a character device", "a FIFO" … of a st_mode.
std::string_view kind_name(mode_t mode);

}  // namespace waggle::store
