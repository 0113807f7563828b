// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

/// What makes no sense on any channel, checked alike by all carriers.
namespace waggle {

/// Whether a frame can announce the extent: whatever its length, it ends where a file can end.
constexpr bool fits(const ExtentId& extent) {
  return extent.length <= kMaxExtent && extent.offset <= INT64_MAX - kMaxExtent;
}

/// Fault::usage for an extent that no frame can announce.
inline Result<> can_send(const ExtentId& extent) {
  return fits(extent)
             ? Result<>()
             : fail(Fault::usage, fmt::format("no extent has {} bytes at offset {}", extent.length, extent.offset));
}

/// Fault::usage for an expectation that no extent can meet.
inline Result<> can_expect(const Incoming& incoming) {
  if (incoming.sink == Incoming::Sink::file && (!incoming.file || incoming.digest == nullptr)) {
    return fail(Fault::usage, "an extent goes into no file without a file and a digester");
  }
  if (incoming.sink == Incoming::Sink::view && incoming.id.length > kMaxView) {
    return fail(Fault::usage, fmt::format("a view of {} bytes is too long", incoming.id.length));
  }
  return {};
}

}  // namespace waggle
