// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/probe.hpp"

namespace waggle::measure {

std::string_view name(Grade grade) {
  switch (grade) {
    case Grade::counted: return "counted";
    case Grade::traced: return "traced";
    case Grade::modelled: return "modelled";
  }
  return "";
}

}  // namespace waggle::measure
