// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.hpp"
#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/described_options.hpp"
#include "harness/cli/progress.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/declared/suite_files.hpp"
#include "harness/experiment/saying.hpp"
#include "harness/record/json_text.hpp"
#include "harness/report/grid.hpp"
#include "harness/suite/estimate.hpp"
#include "harness/suite/run.hpp"

namespace waggle::cli {
namespace {

using suite::Finished;
using suite::Planned;

std::string about(double seconds) {
  return format_duration_ns(seconds * 1e9);
}

/// "9 measured, 2 cannot run here"
std::string outcome_of(const suite::Tally& tally) {
  std::string text = fmt::format("{} measured", tally.ok);
  text += tally.failed == 0 ? "" : fmt::format(", {} failed", tally.failed);
  text += tally.unavailable == 0 ? "" : fmt::format(", {} cannot run here", tally.unavailable);
  return text + (tally.problem.empty() ? "" : fmt::format(" ({})", tally.problem));
}

std::string_view status_of(const suite::Tally& tally) {
  return tally.failed > 0 ? "failed" : tally.ok > 0 ? "ok" : "unavailable";
}

nlohmann::json json_of(const Planned& planned) {
  return {{"suite", planned.suite},
          {"experiment", planned.id},
          {"title", planned.title},
          {"point", planned.point},
          {"digest", planned.digest}};
}

/// What a suite would do, and how long that takes.
class Preview {
 public:
  explicit Preview(const suite::Suite& of) : of_(of), all_(suite::estimate(of.experiments)) {}

  void print_json() const {
    nlohmann::json told{{"suite", of_.head.name},
                        {"title", of_.head.title},
                        {"runs", all_.runs},
                        {"seconds", all_.seconds},
                        {"experiments", nlohmann::json::array()}};
    for (const Planned& planned : of_.experiments) {
      const auto its = suite::estimate(planned);
      auto one = json_of(planned);
      one.update({{"workload", planned.spec.workload},
                  {"contestants", its.contestants},
                  {"runs", its.runs},
                  {"seconds", its.seconds}});
      told["experiments"].push_back(std::move(one));
    }
    fmt::print("{}\n", record::json_text(told, 2));
  }

  void print(const report::Style& style) const {
    fmt::print("{}\n{} experiments, up to {} runs, about {}\n",
               report::paint(style, report::Ink::strong, of_.head.title), of_.experiments.size(),
               format_count(all_.runs), about(all_.seconds));
    report::Grid grid({{.heading = "experiment", .right = false},
                       {.heading = "workload", .right = false},
                       {.heading = "contestants"},
                       {.heading = "runs"},
                       {.heading = "about"}});
    for (const Planned& planned : of_.experiments) {
      const auto its = suite::estimate(planned);
      grid.add({{.text = printable(planned.label())},
                {.text = planned.spec.workload},
                {.text = fmt::format("{}", its.contestants)},
                {.text = format_count(its.runs)},
                {.text = planned.problem ? "cannot run here" : about(its.seconds)}});
    }
    fmt::print("\n{}", grid.text(style));
  }

 private:
  const suite::Suite& of_;
  suite::Estimate all_;
};

/// A declared set of experiments, one record each.
class SuiteCommand final : public Command {
 public:
  std::string_view name() const override { return "suite"; }
  std::string_view summary() const override { return "measure a declared set of experiments, one record each"; }
  std::string_view examples() const override {
    return "  harness suite quick\n"
           "  harness suite bulk --dry-run                  # what it would measure, and how long that takes\n"
           "  harness suite bulk --resume                   # goes on with the latest call that was ended\n"
           "  harness suite ./mine.toml --output=results/mine --budget=5s\n";
  }
  void add_options(CLI::App& app) override {
    app.add_option("NAME", name_, "of a suite (`harness list` names them), or a file of one: FILE.toml")->required();
    app.add_option("--output,-o", output_, "the folder of the records (results/NAME-…)")
        ->option_text("DIR")
        ->group("Output");
    app.add_flag("--resume", call_.resume,
                 "measure only what is not recorded yet, with the same settings, by the same build");
    app.add_flag("--any-revision", call_.any_revision, "with --resume: also keep what another build has recorded");
    app.add_flag("--dry-run,--list", dry_, "only tell what would be measured, and how long that takes");
    app.add_flag("--yes", yes_, "go on where that means more than 10,000 runs");
    const std::string instead = "Instead of what the suite says";
    for (const char* name : {"budget_seconds", "least_runs", "most_runs", "work"}) {
      add_described(app, **find_option(experiment::spec_options().infos(), name), said_.values, instead);
    }
    add_described(app, experiment::runs_option(), runs_said_, instead);
  }

  Result<> run(const Global& global) override {
    WAGGLE_TRY(check_said());
    WAGGLE_LET(file, declared::find_suite(name_));
    WAGGLE_LET(read, suite::read_suite(file, said_));
    if (dry_) {
      const Preview preview(read);
      global.json ? preview.print_json() : preview.print(output_style(global));
      return {};
    }
    if (!yes_) {
      WAGGLE_TRY(suite::check_meant(suite::estimate(read.experiments)));
    }
    WAGGLE_LET(folder, suite::choose_folder(read.head.name, output_, call_.resume));
    call_.folder = std::move(folder);
    call_.command_line = global.command_line;
    auto finished = measure(read, global);
    if (!finished) {
      if (finished.error().fault == Fault::cancelled) {
        finished.error().hint = fmt::format("go on with `{}`", going_on(global.command_line));
      }
      return std::unexpected(std::move(finished).error());
    }
    tell(*finished, read, global);
    return verdict(*finished);
  }

 private:
  /// What contradicts itself.
  Result<> check_said() {
    if (call_.any_revision && !call_.resume) {
      return fail(Fault::usage, "--any-revision says nothing without --resume", "leave it out");
    }
    if (const auto runs = runs_said_.find("runs"); runs != runs_said_.end()) {
      said_.runs = std::get<std::uint64_t>(runs->second);
      experiment::Spec unused;
      experiment::Said said;
      for (const auto& [name, value] : said_.values) {
        said.insert(name);
      }
      WAGGLE_TRY(experiment::say_runs(unused, said, *said_.runs));
    }
    return {};
  }

  /// The call as it was typed, since other bounds would measure everything again, and where its records are.
  std::string going_on(const std::vector<std::string>& typed) const {
    std::string line = "harness";
    for (std::size_t i = 1; i < typed.size(); ++i) {
      const std::string& word = typed[i];
      if (word == "--output" || word == "-o") {
        ++i;
      } else if (word != "--resume" && !word.starts_with("--output=") && !word.starts_with("-o")) {
        line += " " + shell_word(word);
      }
    }
    return fmt::format("{} {} --resume", line, shell_word("--output=" + call_.folder.string()));
  }

  Result<std::vector<Finished>> measure(const suite::Suite& read, const Global& global) const {
    const auto began = now_ns();
    std::optional<ProgressBar> bar;
    bar.emplace(global, began);
    const auto say = [&](const std::string& line) {
      if (!global.quiet) {
        bar.reset();  // which erases it
        print_error("{}\n", printable(line));
        bar.emplace(global, began);
      }
    };
    std::size_t number = 0;
    const suite::Watch watch{
        .progress = [&](double fraction, const std::string& doing, double rate) { bar->update(fraction, doing, rate); },
        .finished =
            [&](const Finished& one) {
              say(fmt::format("[{}/{}] {}: {}, {}", ++number, read.experiments.size(), one.experiment->label(),
                              outcome_of(one.tally), one.measured ? about(one.seconds) : "recorded before"));
            },
        .note = [&](const std::string& note) { say("harness: " + note); }};
    return suite::run_suite(read, call_, watch);
  }

  void tell(const std::vector<Finished>& finished, const suite::Suite& read, const Global& global) const {
    if (global.json) {
      nlohmann::json told{
          {"suite", read.head.name}, {"folder", call_.folder.string()}, {"records", nlohmann::json::array()}};
      for (const Finished& one : finished) {
        auto record = json_of(*one.experiment);
        record.update({{"file", one.file.string()}, {"status", status_of(one.tally)}, {"measured", one.measured}});
        told["records"].push_back(std::move(record));
      }
      fmt::print("{}\n", record::json_text(told, 2));
      return;
    }
    std::size_t measured = 0;
    for (const Finished& one : finished) {
      measured += one.tally.ok > 0 ? 1 : 0;
    }
    fmt::print("{}: {} of {} experiments measured\n", read.head.title, measured, finished.size());
    if (!global.quiet) {
      fmt::print("Records: {}\n", printable(call_.folder.string()));
    }
  }

  /// What the exit code must say: a failure is one of the suite; what cannot run here only when nothing could.
  static Result<> verdict(const std::vector<Finished>& finished) {
    const Finished* none = nullptr;
    bool any = false;
    for (const Finished& one : finished) {
      if (one.tally.failed > 0) {
        return fail(Fault::io, fmt::format("{}: {}", one.experiment->label(), one.tally.problem),
                    "--resume measures again what failed");
      }
      any = any || one.tally.ok > 0;
      none = none == nullptr && one.tally.ok == 0 ? &one : none;
    }
    return any || none == nullptr
               ? Result<>()
               : fail(Fault::missing, fmt::format("nothing could run: {}", none->tally.problem), "see harness doctor");
  }

  std::string name_;
  std::string output_;
  bool dry_ = false;
  bool yes_ = false;
  suite::Overrides said_;
  OptionValues runs_said_;
  suite::Call call_;
};

const Registration suite_registration{std::make_unique<SuiteCommand>()};

}  // namespace
}  // namespace waggle::cli
