// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>

#include <memory>
#include <utility>

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

  /// The same descriptor, which keeps `companion` for as long as it has this owner.
  SharedFd with(std::shared_ptr<const void> companion) const {
    using Both = std::pair<std::shared_ptr<const UniqueFd>, std::shared_ptr<const void>>;
    const auto both = std::make_shared<const Both>(fd_, std::move(companion));
    SharedFd kept;
    kept.fd_ = {both, fd_.get()};
    return kept;
  }

  int get() const { return fd_ ? fd_->get() : -1; }
  explicit operator bool() const { return fd_ != nullptr; }
  void reset() { fd_.reset(); }

 private:
  std::shared_ptr<const UniqueFd> fd_;
};

}  // namespace waggle
