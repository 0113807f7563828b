// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>

#include <memory>

#include "base/unique_fd.hpp"

namespace waggle {

/// A file descriptor with several owners; closed when the last of them lets go. For what may still be used after its
/// opener is done: a number that is closed is given to the next file that anybody opens.
class SharedFd {
 public:
  SharedFd() = default;
  explicit SharedFd(UniqueFd fd) : fd_(fd ? std::make_shared<const UniqueFd>(std::move(fd)) : nullptr) {}
  /// A descriptor of its own for a file that is open as `fd`. Empty when there are no more descriptors.
  static SharedFd duplicate(int fd) { return SharedFd(UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0))); }

  int get() const { return fd_ ? fd_->get() : -1; }
  explicit operator bool() const { return fd_ != nullptr; }
  void reset() { fd_.reset(); }

 private:
  std::shared_ptr<const UniqueFd> fd_;
};

}  // namespace waggle
