// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/standard_error.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "harness/answers/report.hpp"
#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/results_place.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::cli {
namespace {

/// Splits "datapath=udp,workload=rr": a name without a kind belongs to the kind before it.
Result<answers::Selection> parse_selection(const std::vector<std::string>& words) {
  answers::Selection selection;
  std::vector<std::string>* names = nullptr;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      const auto kind = word.substr(0, equals);
      names = kind == "datapath"   ? &selection.datapaths
              : kind == "workload" ? &selection.workloads
              : kind == "link"     ? &selection.links
                                   : nullptr;
      if (names == nullptr) {
        return fail(Fault::usage, fmt::format("--select: {} is nothing to select by", printable(kind)),
                    "say datapath=…, workload=… or link=…");
      }
    } else if (names == nullptr) {
      return fail(Fault::usage, fmt::format("--select: {} does not say what it is", printable(word)),
                  "say datapath=…, workload=… or link=…");
    }
    names->push_back(equals == std::string::npos ? word : word.substr(equals + 1));
  }
  return selection;
}

/// Tables, plots and verdicts from records.
class Report final : public Command {
 public:
  std::string_view name() const override { return "report"; }
  std::string_view summary() const override { return "make tables, plots and a page from records"; }
  std::string_view examples() const override {
    return "  harness report                                     # of all records in results/, into results/report\n"
           "  harness report results/bulk --output=bulk-report --format=html,pdf\n"
           "  harness report --select=datapath=udp,afxdp,link=veth\n"
           "  harness report --plot=latency-cdf results/rr.json --output=figure.pdf\n";
  }
  void add_options(CLI::App& app) override {
    app.add_option("RECORD", places_, "records, or folders with records in them (default: results)");
    app.add_option("-o,--output", output_, "the report's folder, or with --plot a file (default: results/report)");
    app.add_option("--title", title_, "of the report")->capture_default_str();
    app.add_option("--select", select_, "only these: datapath=NAME,…, workload=NAME,…, link=NAME,…")->delimiter(',');
    app.add_option("--format", formats_, fmt::format("of {} (default: all)", fmt::join(answers::formats(), ", ")))
        ->delimiter(',')
        ->check(CLI::IsMember(answers::formats()));
    app.add_option("--plot", plot_, "one kind of plot alone, into the file --output");
    app.add_option("--of", of_, "with --plot: of this experiment or sweep, where there are several");
    add_choice(app, "--style", style_, {"paper", "slides"}, "of plots");
  }

  Result<> run(const Global& global) override {
    answers::Request request{.places = places_.empty() ? std::vector{results_place()} : places_,
                             .output = output_.empty() ? results_place() + "/report" : output_,
                             .title = title_,
                             .selection = {},
                             .formats = formats_,
                             .style = style_,
                             .plot = plot_,
                             .of = of_,
                             .cancel = {}};
    WAGGLE_LET(selection, parse_selection(select_));
    request.selection = std::move(selection);
    if (!plot_.empty() && output_.empty()) {
      return fail(Fault::usage, "--plot needs a file to draw into", "name one with --output, such as figure.pdf");
    }
    if (plot_.empty() && !of_.empty()) {
      return fail(Fault::usage, "--of says nothing without --plot", "leave it out, or name a plot");
    }
    const AbortOnSignal interrupt;
    request.cancel = interrupt.cancel();
    WAGGLE_LET(made, answers::make_report(request));
    if (!made.note.empty()) {
      print_error("harness: plots: {}\n", made.note);
    }
    for (const auto& line : made.left_out) {
      print_error("harness: left out: {}\n", printable(line));
    }
    if (global.json) {
      fmt::print("{}\n", record::json_text({{"output", made.output.native()},
                                            {"records", made.records},
                                            {"experiments", made.experiments},
                                            {"verdicts", made.verdicts},
                                            {"left_out", made.left_out}},
                                           2));
    } else if (!global.quiet) {
      fmt::print("{}\n", made.text);
    }
    return {};
  }

 private:
  std::vector<std::string> places_;
  std::string output_;
  std::string title_ = "Datapaths compared";
  std::vector<std::string> select_;
  std::vector<std::string> formats_;
  std::string plot_;
  std::string of_;
  std::string style_ = "paper";
};

const Registration report_registration{std::make_unique<Report>()};

}  // namespace
}  // namespace waggle::cli
