// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::topology {

/// A network namespace without a name: it lives as long as this object, a process in it or a socket of it, so the
/// kernel removes it with all its devices however the program ends. Nothing appears in /run/netns.
class NetworkNamespace {
 public:
  /// Fault::missing without the rights to make one.
  static Result<NetworkNamespace> create();

  /// For setns(2); owned by this object, closed on exec.
  int fd() const { return fd_.get(); }
  /// Where other processes of this machine can open it while this one has it.
  std::string path() const;
  /// Runs `work` inside, in a thread of its own: the calling thread stays where it is. Sockets opened there belong to
  /// this namespace for good.
  Result<> inside(const std::function<Result<>()>& work) const;

 private:
  explicit NetworkNamespace(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// NetworkNamespace::inside() of the one at `path`; in the calling thread's, when that is empty.
Result<> inside_network(const std::string& path, const std::function<Result<>()>& work);

}  // namespace waggle::topology
