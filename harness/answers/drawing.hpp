// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace waggle::answers {

/// What is drawn, as results/plots/draw.py takes it.
struct Drawing {
  std::vector<std::string> formats;  ///< "svg", "pdf"
  std::string style;                 ///< "paper", "slides"
  std::string kind;                  ///< one kind of plot alone; empty: all
  std::string of;                    ///< the experiment or sweep of that one; empty: the only one
  std::filesystem::path output;      ///< a file for that one; empty: files in a folder
  std::stop_token cancel;            ///< ends it with Fault::cancelled
};

/// Draws the plots of `model`, a file, into `folder`, with Debian's Python and matplotlib; returns what it notes, one
/// line or none. Its complaint, which is one line, becomes the error: Fault::missing without them, Fault::usage for a
/// kind that there is not.
Result<std::string> draw(const std::filesystem::path& model, const std::filesystem::path& folder,
                         const Drawing& drawing);

}  // namespace waggle::answers
