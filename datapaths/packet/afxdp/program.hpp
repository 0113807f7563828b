// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/frame.hpp"
#include "datapaths/packet/route.hpp"

struct afxdp_bpf;

namespace waggle::packet {

/// Our XDP program, which brings one UDP port of an interface to AF_XDP sockets. Attached through a bpf_link: the
/// kernel removes it when this object or its process ends, however it ends.
class RedirectProgram {
 public:
  /// Loaded for `local`, whose MAC does not matter, but not attached: for tests. `fragments` chooses the variant for
  /// frames that do not fit a page.
  static Result<RedirectProgram> load(const Station& local, bool fragments);
  /// Fault::missing when the interface has an XDP program already.
  static Result<> check_free(const Interface& interface);
  /// Loads and attaches it. `mode` is "native", "generic" or "auto", which prefers native. Fault::missing when the
  /// interface or the kernel cannot, or another program is attached already.
  static Result<RedirectProgram> attach(const Interface& interface, const Station& local, const std::string& mode,
                                        bool allow_fallback);

  /// Brings what arrives in `queue` to this AF_XDP socket, which must be bound to it.
  Result<> add(std::uint32_t queue, int socket);
  /// Of the program, for BPF_PROG_TEST_RUN.
  int fd() const;
  /// "xdp": native or generic, as the kernel says.
  const Mode& mode() const { return mode_; }
  /// The program takes frames in several fragments.
  bool fragments() const { return fragments_; }

 private:
  struct Destroy {
    void operator()(afxdp_bpf* skeleton) const;
  };
  explicit RedirectProgram(afxdp_bpf* skeleton, bool fragments) : skeleton_(skeleton), fragments_(fragments) {}
  Result<> link_to(const Interface& interface, std::uint32_t flags);

  std::unique_ptr<afxdp_bpf, Destroy> skeleton_;
  bool fragments_;
  UniqueFd link_;
  Mode mode_;
};

}  // namespace waggle::packet
