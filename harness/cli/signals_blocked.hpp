// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <csignal>
#include <stop_token>

namespace waggle::cli {

/// Keeps the signals that end programs (base/signals.hpp) away from threads that are started while it lives: only one
/// thread must handle them.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  /// Waits until one of them comes and takes it, or until a stop is requested.
  void wait(const std::stop_token& cancel = {}) const;

 private:
  sigset_t signals_;
  sigset_t old_{};
};

}  // namespace waggle::cli
