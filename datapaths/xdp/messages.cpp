// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/xdp/messages.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace waggle::xdp {
namespace {

thread_local std::string last_warning;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_WARN) {
    std::array<char, 512> line{};
    // The verifier's log follows the sentence that says what went wrong and fills screens.
    if (std::vsnprintf(line.data(), line.size(), format, arguments) > 0 &&
        std::strstr(line.data(), "PROG LOAD LOG") == nullptr) {
      last_warning = line.data();
      last_warning = last_warning.substr(0, last_warning.find('\n'));
    }
  }
  return 0;
}

}  // namespace

Messages::Messages() : before_(libbpf_set_print(keep_warning)) {
  last_warning.clear();
}

Messages::~Messages() {
  libbpf_set_print(before_);
}

std::unexpected<Error> Messages::failure(std::string_view what, int error) const {
  std::string text = fmt::format("{}: {}", what, std::strerror(error));
  if (!last_warning.empty()) {
    text += fmt::format(" ({})", last_warning);
  }
  const bool rights = error == EPERM || error == EACCES;
  const char* hint = rights && ::geteuid() != 0 ? "run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW"
                     : rights                   ? "see that root has CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW here"
                                                : "use Linux 5.9 or later with CONFIG_XDP_SOCKETS and BPF";
  return std::unexpected(Error{.fault = Fault::missing, .what = std::move(text), .hint = hint, .system = error});
}

}  // namespace waggle::xdp
