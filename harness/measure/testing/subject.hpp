// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/unique_fd.hpp"

/// For tests of the probes: a child process whose work starts and ends when the test says so.
namespace waggle::measure {

/// Forks a child that waits in read() for go(), works, reports the end and waits in read() again until destruction.
/// Around its work it makes exactly these calls inside a window that is opened before go() and closed after done():
/// the read that returns, and the write that reports.
class Subject {
 public:
  explicit Subject(const std::function<bool()>& work) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      std::abort();
    }
    control_.reset(ends[0]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      char byte = 0;
      bool good = ::read(ends[1], &byte, 1) == 1 && work();
      byte = good ? 1 : 0;
      good = ::write(ends[1], &byte, 1) == 1;
      while (::read(ends[1], &byte, 1) > 0) {
      }
      ::_exit(good ? 0 : 1);
    }
    ::close(ends[1]);
  }
  ~Subject() {
    control_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  pid_t pid() const { return pid_; }
  bool go() {
    const char byte = 1;
    return ::write(control_.get(), &byte, 1) == 1;
  }
  /// Waits for the end of the work; true when it succeeded.
  bool done() {
    char byte = 0;
    return ::read(control_.get(), &byte, 1) == 1 && byte == 1;
  }

 private:
  UniqueFd control_;
  pid_t pid_ = -1;
};

}  // namespace waggle::measure
