// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/link_kind.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace waggle::topology {
namespace {

constexpr std::array<LinkKind, 4> kLinkKinds{{
    {.name = "veth", .device = true, .queues = true},
    {.name = "loopback", .device = true},
    {.name = "vhost", .socket = true},
    {.name = "nic", .addresses = true},
}};

std::string_view name_of(bool LinkKind::* property) {
  const auto found = std::ranges::find(kLinkKinds, true, property);
  return found == kLinkKinds.end() ? "" : found->name;
}

}  // namespace

std::span<const LinkKind> link_kinds() {
  return kLinkKinds;
}

LinkKind link_kind(std::string_view name) {
  const auto found = std::ranges::find(kLinkKinds, name, &LinkKind::name);
  return found == kLinkKinds.end() ? LinkKind{.name = name} : *found;
}

std::vector<std::string> link_names() {
  std::vector<std::string> names;
  std::ranges::transform(kLinkKinds, std::back_inserter(names),
                         [](const LinkKind& kind) { return std::string(kind.name); });
  return names;
}

std::string_view addressed_link() {
  return name_of(&LinkKind::addresses);
}

std::string_view socket_link() {
  return name_of(&LinkKind::socket);
}

}  // namespace waggle::topology
