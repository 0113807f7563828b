// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/report/grid.hpp"
#include "harness/report/style.hpp"

/// Pieces of text that more than one table of a record needs.
namespace waggle::report {

/// "download of 1 GiB over veth (MTU 1500, offloads on) into tmpfs, warm cache, cubic". Without the link when the
/// contestants of the record run over several.
std::string headline(const record::Record& record);
/// The links that contestants have run over, in their order.
std::vector<std::string> links_of(const record::Record& record);
/// "veth (MTU 1500, offloads on)".
std::string link_text(const record::Record& record, const std::string& link);
/// "cubic", or "bbr (cubic requested)": what the sending party's channel was granted; "–" when it does not say.
std::string congestion_text(const record::Contestant& contestant);
/// One line per reason why an interrupt or the machine's state makes the figures doubtful; empty when there is none.
std::string noise_text(const record::Record& record, const Style& style);
/// "40.9 – 42.3", scaled by `factor`, with what it covers when that is less than 95 %: "38.1 – 44.0 (75 %)"; empty
/// without an interval.
std::string interval_text(const record::Interval& interval, double factor);
/// "95 %", or what so few runs can cover.
std::string coverage_text(const record::Interval& interval);
/// Whether the interval was made wider since neighbouring runs were alike.
bool has_drifted(const record::Interval& interval);

/// The percentiles of a distribution that its samples carry, and the largest of them, in nanoseconds.
struct Percentiles {
  std::optional<double> p50;
  std::optional<double> p90;
  std::optional<double> p99;
  std::optional<double> p999;
  std::optional<double> max;
};
Percentiles percentiles(const record::Distribution& distribution);

/// Copies per byte at one place with their grade: the measured ones, or the modelled ones where nothing was measured.
Grid::Cell copies_cell(const record::CopiesPlace& place);
/// Copies of one party, kernel and user together.
Grid::Cell all_copies_cell(const record::Copies& copies);
/// "sendfile, sender, kernel: measured 2.00, modelled 1.00 (+100 %) …": one per disagreement of a contestant.
std::vector<std::string> disagreements(const record::Contestant& contestant);
/// Number of runs of a kind that were ok.
std::size_t runs_of(const record::Contestant& contestant, record::Kind kind);
/// Median of the `operations` of the runs of `kind`; 0 when there are none. Of timed runs only those that count.
double operations_per_run(const record::Record& record, const record::Contestant& contestant, record::Kind kind);

}  // namespace waggle::report
