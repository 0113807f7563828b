// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

/// What this machine can do for an experiment: every entry was tried just now, none is assumed.
namespace waggle::measure {

struct Capability {
  std::string name;      ///< "network namespaces"
  std::string need;      ///< what cannot be had without it: "the links veth and loopback"
  bool required = true;  ///< false: only this one feature is lost without it
  bool works = false;
  std::string why_not;  ///< one line; empty when it works
  std::string remedy;   ///< the command, or where there is none the advice, that would fix it; empty when it works
};

/// Tries everything, in child processes and namespaces of their own; leaves nothing behind. Takes about a second.
std::vector<Capability> capabilities();

}  // namespace waggle::measure
