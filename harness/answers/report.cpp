// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/installed.hpp"
#include "base/words.hpp"
#include "harness/answers/drawing.hpp"
#include "harness/answers/model.hpp"
#include "harness/answers/page.hpp"
#include "harness/answers/report_folder.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/answers/verdict_text.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;

/// All that is computed of records; what is written is made of it.
struct Findings {
  RecordSet set;
  std::vector<Experiment> experiments;
  std::vector<verdict::Verdict> verdicts;
  nlohmann::json model;
};

bool wanted(const Request& request, std::string_view format) {
  return request.formats.empty() || std::ranges::find(request.formats, format) != request.formats.end();
}

Result<> go_on(const Request& request) {
  return request.cancel.stop_requested() ? Result<>(fail(Fault::cancelled, "interrupted; no report was made"))
                                         : Result<>();
}

/// Members point into each other, so it stays where it is made.
Result<> find_out(const Request& request, Findings& found) {
  WAGGLE_LET(set, read_records(request.places));
  found.set = std::move(set);
  WAGGLE_TRY(select(found.set, request.selection));
  found.experiments = experiments(found.set);
  WAGGLE_LET(verdicts, judge(found.set));
  found.verdicts = std::move(verdicts);
  found.model = model(found.set, found.experiments, found.verdicts, request.title);
  return {};
}

Result<> write_tables(const Findings& found, const Request& request, const ReportFolder& folder) {
  const bool markdown_wanted = wanted(request, "md");
  const bool latex_wanted = wanted(request, "tex");
  const auto verdicts = verdict_sheet(found.verdicts);
  std::string all = fmt::format("# {}\n\n{}\n\n## Verdicts\n\n{}\n", for_markdown(request.title),
                                for_markdown(found.model.at("about").get<std::string>()), markdown(verdicts));
  std::set<std::string> taken;
  if (latex_wanted) {
    WAGGLE_TRY(folder.write("tables/verdicts.tex", latex(verdicts)));
  }
  for (const auto& experiment : found.experiments) {
    WAGGLE_TRY(go_on(request));
    auto sheet = sheet_of(experiment);
    while (!taken.insert(sheet.id).second) {
      sheet.id += "-2";
    }
    all += fmt::format("\n## {}\n\n{}\n", for_markdown(experiment.id), markdown(sheet));
    if (latex_wanted) {
      WAGGLE_TRY(folder.write(fmt::format("tables/{}.tex", sheet.id), latex(sheet)));
    }
  }
  if (markdown_wanted) {
    WAGGLE_TRY(folder.write("report.md", all));
  }
  if (wanted(request, "csv")) {
    WAGGLE_TRY(folder.write("figures.csv", figures_csv(found.experiments)));
    WAGGLE_TRY(folder.write("runs.csv", runs_csv(found.experiments)));
  }
  return {};
}

std::vector<std::string> drawn(const Request& request) {
  std::vector<std::string> list;
  for (const char* format : {"svg", "pdf"}) {
    if (wanted(request, format)) {
      list.emplace_back(format);
    }
  }
  return list;
}

/// "12 hold, 3 do not hold, 20 wait": the verdicts in one line.
std::string outcomes(const std::vector<verdict::Verdict>& verdicts) {
  std::map<verdict::Outcome, std::size_t> counts;
  for (const auto& one : verdicts) {
    ++counts[one.outcome];
  }
  std::vector<std::string> parts;
  for (const auto& [outcome, count] : counts) {
    parts.push_back(fmt::format("{} {}", count, word_of(outcome)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Made made_of(const Findings& found, const fs::path& output) {
  Made made{.output = output,
            .records = found.set.sources.size(),
            .experiments = found.experiments.size(),
            .left_out = found.set.left_out,
            .note = {},
            .text = {}};
  made.verdicts = static_cast<std::size_t>(std::ranges::count_if(found.verdicts, [](const verdict::Verdict& one) {
    return one.outcome == verdict::Outcome::holds || one.outcome == verdict::Outcome::does_not_hold;
  }));
  made.text = fmt::format("Report: {}\n{} records, {} experiments; claims: {}", output.native(), made.records,
                          made.experiments, outcomes(found.verdicts));
  return made;
}

/// The one plot: drawn beside its place, which it takes when it is whole.
Result<Made> draw_one(const Request& request, const Findings& found) {
  const auto format = request.output.extension() == ".svg" ? "svg" : "pdf";
  WAGGLE_LET(folder, ReportFolder::scratch());
  WAGGLE_TRY(folder.write("report.json", record::json_text(found.model) + "\n"));
  WAGGLE_TRY(draw(folder.path() / "report.json", folder.path(),
                  {.formats = {format},
                   .style = request.style,
                   .kind = request.plot,
                   .of = request.of,
                   .output = fs::absolute(request.output),
                   .cancel = request.cancel}));
  auto made = made_of(found, request.output);
  made.text = fmt::format("Plot: {}", request.output.native());
  return made;
}

}  // namespace

const std::vector<std::string>& formats() {
  static const std::vector<std::string> kFormats{"md", "csv", "tex", "svg", "pdf", "html"};
  return kFormats;
}

Result<Made> make_report(const Request& request) {
  Findings found;
  WAGGLE_TRY(find_out(request, found));
  WAGGLE_TRY(go_on(request));
  if (!request.plot.empty()) {
    return draw_one(request, found);
  }
  WAGGLE_LET(folder, ReportFolder::make(request.output));
  const auto text = record::json_text(found.model);
  WAGGLE_TRY(folder.write("report.json", text + "\n"));
  WAGGLE_TRY(write_tables(found, request, folder));
  auto made = made_of(found, request.output);
  if (const auto list = drawn(request); !list.empty()) {
    WAGGLE_LET(
        note,
        draw(folder.path() / "report.json", folder.path() / "plots",
             {.formats = list, .style = request.style, .kind = {}, .of = {}, .output = {}, .cancel = request.cancel}));
    made.note = std::move(note);
  }
  if (wanted(request, "html")) {
    WAGGLE_LET(page, page_of(found.set, text));
    WAGGLE_TRY(folder.write("index.html", page));
  }
  WAGGLE_TRY(go_on(request));
  WAGGLE_TRY(folder.publish());
  return made;
}

}  // namespace waggle::answers
