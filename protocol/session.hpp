// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "datapaths/datapath.hpp"

namespace waggle::protocol {

/// What a session asks of whoever owns the channel. One at a time; what it points to is valid until the session's next
/// call.
struct Action {
  enum class Kind {
    none,         ///< wait for the next event
    send,         ///< send `message`
    send_extent,  ///< send `message` and after it `outgoing`, then tell on_sent()
    expect,       ///< expect `incoming`, then wait for the next event
    close         ///< send `message` when it has bytes, then close; failure() says why
  };
  Kind kind = Kind::none;
  ByteView message;
  Outgoing outgoing;
  Incoming incoming;
};

}  // namespace waggle::protocol
