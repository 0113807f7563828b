// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "datapaths/stream/socket.hpp"

namespace waggle::stream {

/// A connection with what the kernel granted to it.
struct TcpConnection {
  Socket socket;
  std::vector<Mode> modes;
};

/// Resolves, connects (within options.timeout, or until options.cancel) and sets up as `options` say. Only resolving a
/// name cannot be called off.
Result<TcpConnection> connect_tcp(const Endpoint& to, const ChannelOptions& options);
/// A non-blocking listening socket; an empty host means all addresses, IPv4 and IPv6 alike.
Result<UniqueFd> listen_tcp(const Endpoint& at, const ChannelOptions& options);
/// Waits for a connection. Fails once the listening socket was shut down.
Result<TcpConnection> accept_tcp(int listening, const ChannelOptions& options);
/// Sets an accepted socket up as `options` say.
Result<TcpConnection> adopt_tcp(UniqueFd socket, const ChannelOptions& options);
/// `modes` of a socket, with what is granted by now: asked of the kernel again.
std::vector<Mode> read_again(std::vector<Mode> modes, int fd);
/// Where a socket is bound.
Result<Endpoint> local_endpoint(int fd);

}  // namespace waggle::stream
