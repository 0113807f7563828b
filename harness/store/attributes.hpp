// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include "protocol/file_service.hpp"

namespace waggle::store {

/// The protocol's view of a stat(2) result.
protocol::Attributes attributes_of(const struct stat& status);

}  // namespace waggle::store
