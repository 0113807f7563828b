// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/network_namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
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

Result<> enter_and(int network, const std::function<Result<>()>& work) {
  Result<> done;
  std::thread([&] {
    if (::setns(network, CLONE_NEWNET) != 0) {
      done = fail_errno("cannot enter a network namespace");
      return;
    }
    done = work();
  }).join();
  return done;
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

std::string NetworkNamespace::path() const {
  // This process as the mounted /proc numbers it, which may be that of another PID namespace.
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self", error);
  return "/proc/" + (error ? std::to_string(::getpid()) : self.native()) + "/fd/" + std::to_string(fd_.get());
}

Result<> NetworkNamespace::inside(const std::function<Result<>()>& work) const {
  return enter_and(fd_.get(), work);
}

Result<> inside_network(const std::string& path, const std::function<Result<>()>& work) {
  if (path.empty()) {
    return work();
  }
  const UniqueFd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return network ? enter_and(network.get(), work) : fail_errno("cannot open the network namespace " + path);
}

}  // namespace waggle::topology
