// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

/// Files of other hosts as users name them.
namespace waggle::cli {

/// "HOST:PORT/path": the path is relative to the served directory and may be empty (that directory itself).
struct Remote {
  Endpoint endpoint;
  std::string path;
};

/// Fault::usage when it is none; IPv6 addresses are written [::1]:7411/path or [fe80::1%eth0]:7411/path.
Result<Remote> parse_remote(std::string_view text);
/// True when `text` starts like HOST:PORT/, so that a user who writes it does not mean a local file.
bool looks_remote(std::string_view text);

/// "HOST:PORT", ":PORT" (all addresses) or "HOST" (with `default_port`), which is more than a number. An IPv6 address
/// is in brackets, with its zone if it is one of a link (RFC 4007, 11); one with a zone may do without them where no
/// port follows.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);
/// "127.0.0.1:7411", "[::1]:7411".
std::string endpoint_text(const Endpoint& endpoint);

/// True for an address (not a name: what it stands for others decide) that only this machine can reach.
bool is_this_machine(std::string_view host);

/// `directory`/`name`, where an empty directory is the served one.
std::string join_path(std::string_view directory, std::string_view name);
/// What is behind the last "/".
std::string_view last_name(std::string_view path);
/// The name that two of `names` would have in one directory, as `name_of` tells it.
template <typename Name, typename NameOf>
std::optional<std::string> named_twice(const std::vector<Name>& names, NameOf&& name_of) {
  std::set<std::string, std::less<>> seen;
  for (const Name& name : names) {
    std::string last(name_of(name));
    if (!seen.insert(last).second) {
      return last;
    }
  }
  return std::nullopt;
}
/// A server's directory entry that may become a local name: one plain component.
bool is_plain_name(std::string_view name);

}  // namespace waggle::cli
