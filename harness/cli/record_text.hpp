// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/grid.hpp"
#include "harness/cli/terminal.hpp"

/// Pieces of text that more than one table of a record needs.
namespace waggle::cli {

/// "download of 1 GiB over veth (MTU 1500, offloads on) into tmpfs, warm cache, cubic". Without the link when the pairs
/// of the record run over several.
std::string headline(const nlohmann::json& record);
/// The links that pairs of the record have run over, in the order of the pairs.
std::vector<std::string> links_of(const nlohmann::json& record);
/// "veth (MTU 1500, offloads on)".
std::string link_text(const nlohmann::json& record, const std::string& link);
/// "cubic", or "bbr (cubic requested)": what the sending side's channel was granted; "–" when it does not say.
std::string congestion_text(const nlohmann::json& pair);
/// One line per reason why the machine's state makes the figures doubtful; empty when it does not.
std::string noise_text(const nlohmann::json& record, const Style& style);
/// "40.9 – 42.3", scaled by `factor`, with what it covers when that is less than 95 %: "38.1 – 44.0 (75 %)"; empty
/// without an interval.
std::string interval_text(const nlohmann::json& interval, double factor);
/// "95 %", or what so few runs can cover.
std::string coverage_text(const nlohmann::json& interval);
/// Whether the interval was made wider since neighbouring runs were alike.
bool has_drifted(const nlohmann::json& interval);
/// A percentile ("p50" … "p999") or "max" of a distribution; nothing when its samples do not carry it.
std::optional<double> quantile_of(const nlohmann::json& distribution, const std::string& quantile);
/// Median of an interval, 0 when there is none.
double median_of(const nlohmann::json& interval);
/// Copies per byte at one place with their grade: the measured ones, or the modelled ones where nothing was measured.
Grid::Cell copies_cell(const nlohmann::json& place);
/// Copies of one side, kernel and user together.
Grid::Cell side_copies_cell(const nlohmann::json& side);
/// "sendfile, sender, kernel: measured 2.00, modelled 1.00 (+100 %) …": one per disagreement of a pair.
std::vector<std::string> disagreements(const nlohmann::json& pair);
/// Number of runs of a kind that were ok.
std::size_t runs_of(const nlohmann::json& pair, std::string_view kind);
/// Median of the `operations` of the runs of `kind`; 0 when there are none. Of timed runs only those that count.
double operations_per_run(const nlohmann::json& record, const nlohmann::json& pair, std::string_view kind);
bool is_bulk(const nlohmann::json& record);
/// True when nothing was asked and CPU time is what counts.
bool is_idle(const nlohmann::json& record);
bool is_ok(const nlohmann::json& pair);

}  // namespace waggle::cli
