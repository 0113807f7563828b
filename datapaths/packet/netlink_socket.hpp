// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"

struct nl_sock;
extern "C" void nl_socket_free(nl_sock* socket);

/// libnl in the terms of this project.
namespace waggle::packet {

/// Owns an object of libnl: Netlinked<rtnl_link, rtnl_link_put>.
template <auto put>
struct PutNetlinked {
  template <typename T>
  void operator()(T* object) const {
    put(object);
  }
};
template <typename T, auto put>
using Netlinked = std::unique_ptr<T, PutNetlinked<put>>;
using NetlinkSocket = Netlinked<nl_sock, nl_socket_free>;

/// A socket to the routing part of the kernel, in the calling thread's network namespace.
Result<NetlinkSocket> netlink_socket();
/// "WHAT: what libnl says of the code"; Fault::missing for lacking rights.
std::unexpected<Error> fail_netlink(std::string what, int code);

}  // namespace waggle::packet
