// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "datapaths/datapath.hpp"
#include "harness/measure/probe.hpp"
#include "harness/measure/references.hpp"

namespace waggle::measure {

/// Bytes copied by a CPU in the kernel, on one side.
struct KernelCopies {
  std::uint64_t total = 0;
  std::uint64_t verification = 0;  ///< the part of total that a receiver read back from its file
};

/// How often the kernel copies each byte that this kind of call moves (0 or 1), from its descriptors alone. Receiving
/// from a stream socket counts 0 here: it may also drop or map the bytes, so the tracepoint in the kernel's own copy
/// counts it. Receiving from a UDP socket copies what the call returns. Calls on AF_XDP and AF_PACKET sockets only say
/// that there is something in a ring: see unseen_copies().
///
/// Read off Linux 6.1 to 6.18: reading and writing a file in the page cache or a pipe copies; sending from memory
/// copies unless MSG_ZEROCOPY; sendfile and splice pass references to pages into a pipe or a socket
/// (filemap_splice_read, splice_to_socket) where `references` says so, but into a file they copy
/// (iter_file_splice_write writes from the pipe's pages; pages have not been moved since 2.6.21); O_DIRECT leaves it to
/// the device. copy_file_range copies where the file system does not share extents; ext4 and tmpfs do not.
unsigned copies_per_byte(const CallCount& call, const References& references = {});

/// The kernel's copies that the traced calls of one side imply. `socket_copied`: from the tracepoint
/// skb_copy_datagram_iovec. Message headers are part of all figures. Not seen: zero-copy sends that
/// the kernel copied after all (the datapath is told), and copies that the network stack makes for itself (linearised
/// or coalesced packets).
KernelCopies derive_copies(const std::vector<CallCount>& calls, Side side, std::uint64_t socket_copied,
                           const References& references = {});

}  // namespace waggle::measure
