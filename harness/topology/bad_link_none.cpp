// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/bad_link.hpp"

namespace waggle::topology {

Result<std::unique_ptr<BadLink>> BadLink::join(std::unique_ptr<NetworkNamespace>, const NetworkNamespace&,
                                               const NetworkNamespace&, const std::string&, std::uint32_t,
                                               std::uint32_t, const Badness&) {
  return fail(Fault::missing, "a bad link needs BPF, without which this program was built",
              "build it with clang, bpftool and libbpf, or leave out --loss and --reorder");
}

}  // namespace waggle::topology
