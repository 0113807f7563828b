// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "harness/answers/record_set.hpp"

namespace waggle::answers {

/// Experiments of one suite that differ in one setting, over one link.
struct Sweep {
  struct Point {
    double x = 0;
    std::string label;  ///< as the suite has it: "64KiB"
    const Experiment* experiment = nullptr;
  };
  std::string id;     ///< "bulk/size/veth", with the settings that are held where there are several
  std::string suite;  ///< its name
  std::string title;
  std::string link;
  std::string x;                      ///< the setting's name
  std::string unit;                   ///< "B", "1/s", "%" or ""
  bool log = false;                   ///< the values span more than a factor of 20
  std::vector<Point> points;          ///< by x
  std::vector<std::string> warnings;  ///< what makes its points hard to compare
};

/// The number that a setting's text stands for, with its unit: "64KiB", "20k", "1%", "16"; nothing for a word.
struct Quantity {
  double value = 0;
  std::string unit;
};
std::optional<Quantity> quantity_of(const std::string& text);

/// Sweeps over every setting with at least two numbers, the others held. A point that was measured twice counts once,
/// with the newest record. `experiments` must outlive them.
std::vector<Sweep> sweeps(const std::vector<Experiment>& experiments);

}  // namespace waggle::answers
