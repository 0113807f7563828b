// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "base/testing/require.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/options.hpp"
#include "harness/topology/hugepages.hpp"
#include "harness/topology/work_directory.hpp"

/// DPDK can be started once in a process, so every end of a test has one of its own.
namespace waggle::packet {

/// A directory for sockets and hugepages for three processes.
class Place {
 public:
  Place() : work_(make()), pages_(topology::Hugepages::reserve(3 * dpdk::kHugepageBytes, work_.path())) {
    if (!pages_) {
      test::cannot_run(pages_.error());
    }
  }

  ChannelOptions channel(std::map<std::string, std::string> set) const {
    ChannelOptions options;
    options.link = "vhost";
    options.link_at = (work_.path() / "vhost").string();
    options.timeout = std::chrono::seconds(5);
    for (const auto& [name, value] : set) {
      options.settings["dpdk." + name] = value;
    }
    return options;
  }
  bool listening() const { return std::filesystem::is_socket(work_.path() / "vhost"); }
  /// Comes to the server's socket and goes again. Does not wait: behind a device whose opening has failed nobody
  /// accepts.
  bool knock() const {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    (work_.path() / "vhost").string().copy(at.sun_path, sizeof at.sun_path - 1);
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  /// A server's socket, behind which nobody answers.
  UniqueFd mute() const {
    const std::string path = (work_.path() / "vhost").string();
    std::ofstream(path + ".lock").close();
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(socket.get(), 8) == 0);
    return socket;
  }
  /// A killed server leaves its socket, which would look as if it were listening.
  void clear() const { std::filesystem::remove(work_.path() / "vhost"); }

 private:
  static topology::WorkDirectory make() {
    const char* place = std::getenv("TMPDIR");
    return *topology::WorkDirectory::create(place != nullptr ? place : "/var/tmp");
  }
  topology::WorkDirectory work_;
  Result<topology::Hugepages> pages_;
};

/// A process that runs `body` and ends with 0 when it returned true; killed at the latest by destruction.
class Process {
 public:
  explicit Process(const std::function<bool()>& body) : pid_(::fork()) {
    if (pid_ == 0) {
      std::_Exit(body() ? 0 : 1);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { kill(); }

  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      join();
    }
  }
  bool join() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  /// The same, but it is killed when it has not ended within `seconds`.
  bool join_within(int seconds) {
    for (int i = 0; i < seconds * 100; ++i) {
      siginfo_t ended{};
      if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT | WNOHANG) == 0 && ended.si_pid == pid_) {
        return join();
      }
      ::usleep(10'000);
    }
    kill();
    return false;
  }

 private:
  pid_t pid_;
};

}  // namespace waggle::packet
