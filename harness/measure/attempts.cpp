// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/attempts.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/netlink.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/unique_fd.hpp"

namespace waggle::measure::attempt {
namespace {

struct FreeSocket {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};

}  // namespace

Result<> child(const std::function<Result<>()>& attempt) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno("cannot make a pipe");
  }
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  const pid_t process = ::fork();
  if (process < 0) {
    return fail_errno("cannot start a process");
  }
  if (process == 0) {
    const auto outcome = attempt();
    if (!outcome) {
      static_cast<void>(!::write(in.get(), outcome.error().what.data(), outcome.error().what.size()));
      ::_exit(outcome.error().system != 0 && outcome.error().system < 255 ? outcome.error().system : 255);
    }
    ::_exit(0);
  }
  in.reset();
  std::array<char, 512> text{};
  const ssize_t length = ::read(out.get(), text.data(), text.size());
  int status = 0;
  ::waitpid(process, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return {};
  }
  Error error{.fault = Fault::missing,
              .what = std::string(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0)};
  if (WIFSIGNALED(status)) {
    error.what = std::string("the attempt died of ") + ::strsignal(WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 255) {
    error.system = WEXITSTATUS(status);
  }
  return std::unexpected(std::move(error));
}

Result<> network_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) {
    return fail_errno("cannot make a network namespace");
  }
  return {};
}

Result<> veth() {
  WAGGLE_TRY(network_namespace());
  const std::unique_ptr<nl_sock, FreeSocket> socket(nl_socket_alloc());
  int error = nl_connect(socket.get(), NETLINK_ROUTE);
  if (error == 0) {
    error = rtnl_link_veth_add(socket.get(), "waggle0", "waggle1", ::getpid());
  }
  if (error < 0) {
    return fail(Fault::missing, std::string("cannot make a veth pair: ") + nl_geterror(error));
  }
  return {};
}

Result<> tmpfs(const char* options) {
  // Nothing may propagate to the outside, and the mount covers an existing directory only inside.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("cannot make a mount namespace");
  }
  if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
    return fail_errno(std::string("cannot mount a tmpfs with ") + options);
  }
  return {};
}

Result<> openat2() {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how))));
  if (!fd) {
    return fail_errno("openat2 with RESOLVE_BENEATH");
  }
  return {};
}

Result<> io_uring() {
  io_uring_params parameters{};
  const UniqueFd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 4, &parameters)));
  if (!ring) {
    return fail_errno("io_uring_setup");
  }
  return {};
}

Result<> zerocopy() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd sender(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0 || ::connect(sender.get(), generic, length) != 0) {
    return fail_errno("cannot connect over 127.0.0.1");
  }
  const int on = 1;
  if (::setsockopt(sender.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) != 0) {
    return fail_errno("SO_ZEROCOPY");
  }
  static const std::array<char, 4096> payload{};
  if (::send(sender.get(), payload.data(), payload.size(), MSG_ZEROCOPY | MSG_NOSIGNAL) < 0) {
    return fail_errno("a send with MSG_ZEROCOPY");
  }
  return {};
}

Result<> cubic() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) != 0) {
    return fail_errno("choosing the congestion control cubic");
  }
  return {};
}

Result<> huge_page() {
  constexpr std::size_t kHuge = 2 * 1024 * 1024;
  void* page = ::mmap(nullptr, kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (page == MAP_FAILED) {
    return fail_errno("cannot map a huge page of 2 MiB");
  }
  ::munmap(page, kHuge);
  return {};
}

Result<> software_event() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
  const UniqueFd event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0)));
  if (!event) {
    return fail_errno("perf_event_open");
  }
  return {};
}

Result<> drop_page_cache() {
  const UniqueFd file(::open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC));
  if (!file) {
    return fail_errno("cannot write /proc/sys/vm/drop_caches");
  }
  return {};
}

}  // namespace waggle::measure::attempt
