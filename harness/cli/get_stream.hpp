// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>

#include "base/result.hpp"
#include "protocol/client.hpp"

namespace waggle::cli {

/// Writes a file of a server to the descriptor `to`, in order. Bytes go out as soon as they have been verified and
/// never before: when it fails, what is out is a right beginning of the file. `go_on` is asked before every piece: its
/// error ends the call. Fault::changed when the file changes meanwhile.
Result<> stream_file(protocol::Client& client, const protocol::Client::File& file, int to,
                     const std::function<Result<>()>& go_on);

}  // namespace waggle::cli
