// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/declared/toml_tree.hpp"

namespace waggle::suite {

using declared::Node;
using declared::Place;
using declared::wrong_at;

/// What an experiment says of one option: a value, or a list that is swept.
struct Axis {
  std::string name;      ///< of the option: "size", "link"; of a datapath's: "afxdp.mode"
  bool setting = false;  ///< it is a datapath's
  bool swept = false;
  const Node* said = nullptr;        ///< as it stands in the file
  std::vector<const Node*> choices;  ///< its values, one when it is not swept
};

/// The axes of an experiment, and those of `defaults` that it does not have itself, in the order of the file. Nodes are
/// those of the document, which must outlive them. Fault::usage with the place for a key that is no option, for one
/// that is there under two names, and for an empty list.
Result<std::vector<Axis>> axes_of(const std::filesystem::path& file, const Node& experiment, const Node* defaults);

/// How many points the axes have; UINT64_MAX where they are more than can be counted.
std::uint64_t points_of(const std::vector<Axis>& axes);
/// The value of each axis at a point, of which the first axis changes slowest.
std::vector<const Node*> at_point(const std::vector<Axis>& axes, std::uint64_t point);

}  // namespace waggle::suite
