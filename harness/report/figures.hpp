// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/report/extremes.hpp"

/// The figures of a record as rows, each told once: tables, plots, verdicts and the page take theirs from here.
namespace waggle::report {

/// One figure of a contestant. Units are those of records: bits per second, seconds, nanoseconds, bytes.
struct Figure {
  std::string name;  ///< "goodput", "cpu.per_gib", "copies" … (results/README.md lists them)
  std::string unit;  ///< "bit/s", "1/s", "ns", "s/GiB", "us", "B/B", "1/MiB", "B", "s"; "": a count or share
  std::optional<record::Role> party;        ///< nothing: all parties together
  std::optional<record::Place> place = {};  ///< of copies only; nothing: kernel and user together
  std::string of = {};                      ///< the operation of a latency, the name of a counter
  record::Interval value;                   ///< the median over runs; without low and high where runs give no interval
  std::optional<record::Grade> grade = {};  ///< of copies only
  std::optional<Extremes> extremes = {};  ///< of what probes count, over probed runs; they are too few for an interval
};

/// Which way a figure is better; nothing where it is neither, such as a count of packets.
enum class Better { more, less, neither };
Better better(std::string_view figure);

/// All figures of a contestant that has a summary, in a fixed order; none of one that has not.
std::vector<Figure> figures_of(const record::Record& record, const record::Contestant& contestant);

/// What a figure was in each counted run, by the round of that run, for ratios within rounds: "goodput", "operations",
/// "seconds" and all "cpu." of all parties; of the operation `of` "latency.p50", "latency.p99" and "latency.mean".
/// Empty for other figures, and in records that have no rounds.
std::map<std::uint64_t, double> by_round(const record::Record& record, const record::Contestant& contestant,
                                         std::string_view figure, std::string_view of = {});

/// The value of a figure in one run; nothing for a figure that single runs do not have, or that its samples do not
/// carry.
std::optional<double> in_run(const record::Run& run, std::string_view figure, std::string_view of = {});

/// The unit of a figure that single runs have.
std::string_view unit_of(std::string_view figure);

/// The runs of a contestant that count in the record's placement, in the order of their rounds.
std::vector<const record::Run*> counted_runs(const record::Record& record, const record::Contestant& contestant);

/// "goodput", "operations" or "cpu.share": the figure that a record's workload is judged by.
std::string_view main_figure(const record::Record& record);

}  // namespace waggle::report
