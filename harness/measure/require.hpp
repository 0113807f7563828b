// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "base/testing/require.hpp"

namespace waggle::measure {

using test::cannot_run;

}  // namespace waggle::measure
