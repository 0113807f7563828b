// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/network_namespace.hpp"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <thread>

namespace waggle::topology {
namespace {

std::unexpected<Error> cannot_make(int error) {
  if (error == EPERM) {
    return fail(Fault::missing, "cannot make a network namespace: only root may", "run it with sudo");
  }
  if (error == EINVAL) {
    return fail(Fault::missing, "cannot make a network namespace: this kernel has none",
                "use a kernel with CONFIG_NET_NS");
  }
  return fail_errno("cannot make a network namespace", error);
}

}  // namespace

Result<NetworkNamespace> NetworkNamespace::create() {
  UniqueFd fd;
  Result<> made;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      made = cannot_make(errno);
      return;
    }
    fd.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd) {
      made = fail_errno("cannot open /proc/thread-self/ns/net", errno, "mount /proc");
    }
  }).join();
  WAGGLE_TRY(made);
  return NetworkNamespace(std::move(fd));
}

Result<> NetworkNamespace::inside(const std::function<Result<>()>& work) const {
  Result<> done;
  std::thread([&] {
    if (::setns(fd_.get(), CLONE_NEWNET) != 0) {
      done = fail_errno("cannot enter a network namespace");
      return;
    }
    done = work();
  }).join();
  return done;
}

}  // namespace waggle::topology
