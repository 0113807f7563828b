// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/answers/record_set.hpp"
#include "harness/record/names.hpp"

/// Tables for papers and reports: Markdown and LaTeX for people, CSV for programs. The same records give the same
/// bytes.
namespace waggle::answers {

/// A table with what stands around it, in no format yet.
struct Sheet {
  struct Column {
    std::string heading;
    std::string unit;  ///< as people write it: "Gbit/s"; may be empty
    bool number = true;
  };
  struct Cell {
    std::string text;
    bool bold = false;
  };
  std::string id;       ///< "r1-veth": for labels and names of files
  std::string caption;  ///< what was done, over what, on what, how often
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> notes;  ///< what stands below: warnings, who could not run
};

/// An experiment: its contestants, the best first, with the figures that its workload is judged by, their intervals,
/// and copies with their grade. The best is bold where it differs from all others beyond chance.
Sheet sheet_of(const Experiment& experiment);

/// A text of which Markdown takes nothing for its own, on one line.
std::string for_markdown(std::string_view text);
/// An id as names of files and labels of TeX may be: ids hold names that records give.
std::string plain_id(std::string_view id);

std::string markdown(const Sheet& sheet);
/// For booktabs and siunitx.
std::string latex(const Sheet& sheet);

/// Every figure of every contestant, one per line, in the units of records and with all digits.
std::string figures_csv(const std::vector<Experiment>& experiments);
/// Every run, counted or not.
std::string runs_csv(const std::vector<Experiment>& experiments);

/// "veth (MTU 1500, offloads on) · Linux 6.1.0, 2 × Xeon · n = 12 each · medians with 95 % intervals".
std::string caption_of(const Experiment& experiment);
/// What must be known before the figures are believed: noise, placement, few runs, who could not run.
std::vector<std::string> warnings_of(const Experiment& experiment);
/// "2 × Intel Xeon, Linux 6.1": the machine of a record, or of each host.
std::string machine_of(const record::Record& record);

}  // namespace waggle::answers
