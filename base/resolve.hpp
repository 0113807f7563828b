// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netdb.h>

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.hpp"

namespace waggle {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Like getaddrinfo(3).
using Lookup = int (*)(const char* host, const char* service, const addrinfo* hints, addrinfo** list);

/// The addresses of `host` (empty: those of the wildcard) with `service`; Fault::not_found when it has none. A name
/// server that does not answer holds getaddrinfo(3) for many seconds, and nothing calls it off: where a stop may be
/// requested a thread asks that is left behind then, with all that it touches, and Fault::cancelled comes at once.
Result<Addresses> resolve(const std::string& host, const std::string& service, const addrinfo& hints,
                          const std::stop_token& cancel = {}, Lookup lookup = ::getaddrinfo);

}  // namespace waggle
