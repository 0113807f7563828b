// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/results_place.hpp"

#include <cstdlib>

namespace waggle::cli {

std::string results_place() {
  const char* place = std::getenv("WAGGLE_RESULTS");
  return place != nullptr && *place != '\0' ? place : "results";
}

}  // namespace waggle::cli
