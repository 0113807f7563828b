// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <vector>

#include "harness/suite/axes.hpp"
#include "harness/suite/suite.hpp"

namespace waggle::suite {

/// Who is compared in an experiment, as somebody names them on a command line.
struct Contestants {
  std::string datapaths = "all";
  std::string receiver = {};
  Place place = {};  ///< where the file says so, or where the experiment begins
};

/// The Spec of the experiment that begins there and whose axes have these `values`, settled; Planned::problem when this
/// machine cannot have it. Fault::usage with the place when nobody can.
Result<Planned> settled(const std::filesystem::path& file, Place begins, const Contestants& contestants,
                        const std::vector<Axis>& axes, const std::vector<const Node*>& values,
                        const Overrides& overrides);

}  // namespace waggle::suite
