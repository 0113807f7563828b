// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

/// Sources whose length nobody knows before their end: pipes, and files that a kernel makes up while they are read.
namespace waggle::store {

/// What a source held, in a file without a name: it vanishes with its last descriptor, however the process ends.
struct Spooled {
  UniqueFd file;           ///< open for reading; empty when the source was
  std::uint64_t size = 0;  ///< bytes
};

/// Reads `from` to its end. The file is made in $TMPDIR, else in /var/tmp. `go_on` is asked before every piece: its
/// error ends the reading. Fault::no_space after `most` bytes, or when the file system is full.
Result<Spooled> spool(int from, std::uint64_t most, const std::function<Result<>()>& go_on);

}  // namespace waggle::store
