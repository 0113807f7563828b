// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/record/file.hpp"
#include "harness/record/json_text.hpp"
#include "harness/report/missing_text.hpp"
#include "harness/report/table.hpp"

namespace waggle::cli {
namespace {

/// What run and compare print, from their records.
class Show final : public Command {
 public:
  std::string_view name() const override { return "show"; }
  std::string_view summary() const override { return "print a record as the table that it came with"; }
  std::string_view examples() const override {
    return "  harness show results/20261121-024500-download-sendfile.json\n"
           "  harness show --full results/20261121-025500-download-compare.json\n";
  }
  void add_options(CLI::App& app) override {
    app.add_option("RECORD", paths_, "JSON files that run or compare has written")->required();
    app.add_flag("--full", full_, "every pair in detail, also when there are several");
  }
  Result<> run(const Global& global) override {
    const report::Style style = output_style(global);
    for (const auto& path : paths_) {
      WAGGLE_LET(record, record::read_record(path));
      if (global.json) {
        fmt::print("{}\n", record::json_text(record::to_json(record), 2));
        continue;
      }
      const auto readable = record::printable(std::move(record));
      fmt::print("{}{}", path == paths_.front() ? "" : "\n",
                 full_ ? report::run_table(readable, style) : report::record_table(readable, style));
      if (const auto missing = report::missing_text(readable); !missing.empty() && !global.quiet) {
        fmt::print(stderr, "{}\n", missing);
      }
    }
    return {};
  }

 private:
  std::vector<std::string> paths_;
  bool full_ = false;
};

const Registration show_registration{std::make_unique<Show>()};

}  // namespace
}  // namespace waggle::cli
