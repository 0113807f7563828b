// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/server.hpp"
#include "tests/conformance/lanes.hpp"

namespace waggle::conformance {

/// What does not hold. Thrown in whatever thread or process finds it out.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws a Broken unless `holds`.
inline void must(bool holds, const std::string& what) {
  if (!holds) {
    throw Broken(what);
  }
}

template <typename T>
T must(Result<T> result, const std::string& what) {
  if (!result) {
    throw Broken(what + ": " + result.error().text());
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

/// Runs the two ends of a lane at the same time, each in a thread or, where the lane's link wants it, in a process of
/// its own. Returns what was broken, empty when nothing was.
std::string run_ends(const Lane& lane, const ChannelOptions& options, const std::function<void(Listener&)>& server,
                     const std::function<void(const Endpoint&)>& client);

/// Serves `directory` on a lane while `client` runs, in the same process or, where the link wants it, in others.
/// `server` is looked at while it is there and in this process.
std::string run_server(const Lane& lane, const ChannelOptions& options, const std::filesystem::path& directory,
                       const std::function<void(const Endpoint&, protocol::Server* server)>& client);

/// Runs `what` on every lane and returns what was broken, by name of the lane. Packet lanes, which wait more than they
/// work, at the same time; the others only with `at_once`.
std::map<std::string, std::string> on_all(const std::vector<Lane>& all,
                                          const std::function<std::string(const Lane&)>& what, bool at_once = false);

}  // namespace waggle::conformance
