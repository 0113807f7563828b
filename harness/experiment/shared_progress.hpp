// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::experiment {

/// A Progress in memory shared with a measured process, so that watching costs that process nothing.
class SharedProgress {
 public:
  static Result<SharedProgress> create();
  /// Maps what another process created; `fd` stays the caller's.
  static Result<SharedProgress> open(int fd);

  int fd() const { return fd_.get(); }
  Progress& get() const { return *progress_; }

 private:
  struct Unmap {
    void operator()(Progress* progress) const;
  };
  static Result<SharedProgress> map(int fd, UniqueFd owned);
  UniqueFd fd_;
  std::unique_ptr<Progress, Unmap> progress_;
};

}  // namespace waggle::experiment
