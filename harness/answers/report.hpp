// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/answers/record_set.hpp"

/// A report made of records: one folder with all that can be taken from it.
namespace waggle::answers {

/// What a report can be made of: "md", "csv", "tex", "svg", "pdf", "html".
const std::vector<std::string>& formats();

struct Request {
  std::vector<std::string> places;  ///< files and folders of records
  std::filesystem::path output;     ///< the report's folder, or the file of the one plot
  std::string title;
  Selection selection;
  std::vector<std::string> formats;  ///< empty: all
  std::string style;                 ///< of plots
  std::string plot;                  ///< one kind of plot alone; empty: everything
  std::string of;                    ///< of this experiment or sweep, by its id; empty: of the only one
  std::stop_token cancel;            ///< gives it up, with all that was begun
};

/// What was made, to be told.
struct Made {
  std::filesystem::path output;
  std::size_t records = 0;
  std::size_t experiments = 0;
  std::size_t verdicts = 0;           ///< claims that records decide
  std::vector<std::string> left_out;  ///< a line per file
  std::string note;                   ///< what is missing in the plots; empty: nothing
  std::string text;                   ///< some lines for people
};

/// Makes a report, or nothing. The same records give the same files, byte by byte, wherever they lie and whenever that
/// is. Errors as of read_records(), select(), ReportFolder and draw(), and
/// Fault::cancelled.
Result<Made> make_report(const Request& request);

}  // namespace waggle::answers
