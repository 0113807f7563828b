// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "base/words.hpp"

/// The words of verdicts and of their rules, with the one table of each that prints and parses it.
namespace waggle::verdict {

/// How a claim, or a rule of it, ends.
enum class Outcome : std::uint8_t {
  holds,
  does_not_hold,
  not_shown,   ///< what was measured leaves both open, or nothing was; the reason says what would decide
  cannot_run,  ///< this machine lacks something
  waits        ///< for a part that is not built
};
constexpr auto words_of(Outcome) {
  return std::to_array<Word<Outcome>>({{Outcome::holds, "holds"},
                                       {Outcome::does_not_hold, "does not hold"},
                                       {Outcome::not_shown, "not shown"},
                                       {Outcome::cannot_run, "cannot run here"},
                                       {Outcome::waits, "waits"}});
}

/// How a rule compares.
enum class Is : std::uint8_t { at_least, at_most, more_than, less_than, about };
constexpr auto words_of(Is) {
  return std::to_array<Word<Is>>({{Is::at_least, "at least"},
                                  {Is::at_most, "at most"},
                                  {Is::more_than, "more than"},
                                  {Is::less_than, "less than"},
                                  {Is::about, "about"}});
}

}  // namespace waggle::verdict
