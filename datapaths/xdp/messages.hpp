// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bpf/libbpf.h>

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace waggle::xdp {

/// Keeps libbpf off stderr as long as it lives and remembers its last warning of this thread.
class Messages {
 public:
  Messages();
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  ~Messages();

  /// "WHAT: strerror(error) (libbpf's last warning)" as Fault::missing, with what the user can do about it.
  std::unexpected<Error> failure(std::string_view what, int error) const;

 private:
  libbpf_print_fn_t before_;
};

}  // namespace waggle::xdp
