// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/experiment/json_text.hpp"
#include "harness/record/record.hpp"
#include "harness/report/table.hpp"

namespace waggle::cli {
namespace {

Result<record::Record> read_record(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return fail_errno(fmt::format("cannot open {}", path), errno, "name a record that run or compare has written");
  }
  constexpr std::size_t kMost = std::size_t{256} << 20U;  // of a record that somebody could want to read
  std::string text(1 << 16, '\0');
  std::size_t size = 0;
  while (size < kMost && file.read(text.data() + size, static_cast<std::streamsize>(text.size() - size)).gcount() > 0) {
    size += static_cast<std::size_t>(file.gcount());
    text.resize(size == text.size() ? 2 * size : text.size());
  }
  const auto document = experiment::parse_json(std::string_view(text).substr(0, size));
  if (!document || !record::is_record(*document)) {
    return fail(Fault::corrupt, fmt::format("{} is not a record", path),
                "name a JSON file that run or compare has written");
  }
  auto record = record::from_json(*document);
  if (!record) {
    return fail(Fault::corrupt, fmt::format("{} is not a whole record: {}", path, record.error().what));
  }
  return record;
}

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
      WAGGLE_LET(record, read_record(path));
      if (global.json) {
        fmt::print("{}\n", experiment::json_text(record::to_json(record), 2));
        continue;
      }
      const auto readable = record::printable(std::move(record));
      fmt::print("{}{}", path == paths_.front() ? "" : "\n",
                 full_ ? report::run_table(readable, style) : report::record_table(readable, style));
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
