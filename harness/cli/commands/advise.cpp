// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "datapaths/datapath.hpp"
#include "harness/answers/advice.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/experiment_command.hpp"
#include "harness/cli/experiment_options.hpp"
#include "harness/cli/results_place.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/experiment/like.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/experiment/record.hpp"
#include "harness/measure/environment.hpp"
#include "harness/record/archive.hpp"
#include "harness/record/json_text.hpp"
#include "harness/suite/shorten.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::cli {
namespace {

/// Asked once of each datapath: it may open devices.
std::optional<Error> why_not(const Datapath& datapath) {
  static std::map<std::string_view, std::optional<Error>> known;
  const auto found = known.find(datapath.name());
  if (found != known.end()) {
    return found->second;
  }
  const auto available = datapath.available();
  return known[datapath.name()] = available ? std::nullopt : std::optional(available.error());
}

/// What the registry says of a contestant, with the settings that it was measured with.
answers::Demand demand_of(const record::Record& record, const record::Contestant& contestant) {
  // Of a record whose settings this version does not know the defaults are told.
  const auto spec = experiment::spec_from_json(record::write(record.spec));
  ChannelOptions channel = spec ? spec->channel : ChannelOptions{};
  answers::Demand demand;
  for (const auto& party : contestant.parties) {
    const auto datapath = find_datapath(party.datapath);
    if (!datapath) {
      continue;  // a program of others
    }
    const auto links = (*datapath)->links();
    channel.link = std::ranges::find(links, contestant.link) != links.end() ? contestant.link : links.front();
    for (const Need& need : (*datapath)->needs(channel)) {
      const std::string kind(word_of(need.kind));
      if (std::ranges::find(demand.needs, kind, &answers::Demand::Need::kind) == demand.needs.end()) {
        demand.needs.push_back({.kind = kind, .what = need.what});
      }
    }
    if (const auto problem = why_not(**datapath); problem && demand.missing.empty()) {
      demand.missing = problem->text();
    }
    demand.demonstrates = demand.demonstrates || (*datapath)->demonstrates();
  }
  return demand;
}

Result<answers::Here> here() {
  const auto facts = measure::environment();
  WAGGLE_LET(build, record::read<record::Revision>(measure::revision()));
  answers::Here found{.host = {}, .build = std::move(build), .now = experiment::timestamp(), .networks = {}};
  found.host.kernel = facts.at("kernel").get<std::string>();
  found.host.others.members = facts;
  for (const auto& kind : topology::link_kinds()) {
    if (kind.addresses) {
      found.networks.emplace(kind.name);
    }
  }
  return found;
}

/// Every option that an experiment of this workload has.
std::vector<OptionInfo> options_told(const workloads::Workload& workload) {
  auto all = workload.options();
  for (const auto* more : {&experiment::spec_options().infos(), &workloads::common_options().infos()}) {
    all.insert(all.end(), more->begin(), more->end());
  }
  return all;
}

/// Which datapath to take for a workload, from this machine's records or a measurement.
class Advise final : public Command {
 public:
  std::string_view name() const override { return "advise"; }
  std::string_view summary() const override { return "which datapath to take, by how much, and how sure that is"; }
  std::string_view examples() const override {
    return "  harness advise --workload=download --size=1GiB --clients=16 --goal=latency\n"
           "  harness advise --workload=rr --goal=cpu results/full-20261128-010000   # from these records alone\n"
           "  sudo harness advise --measure --time=5min                             # compares, and keeps the record\n"
           "  harness advise --json | jq -r .take\n";
  }
  void add_options(CLI::App& app) override {
    options_.add_question_to(app);
    const std::string group = "Advice";
    app.add_option("RECORD", places_, "records, or folders with records in them (default: results)");
    add_choice(app, "--goal", goal_, choices_of<answers::Goal>(),
               "what to have most or least of (goodput, or operations per second; of idle: cpu)")
        ->group(group);
    app.add_flag("--measure", measure_, "compare all datapaths now, whatever is recorded; keeps the record")
        ->group(group);
    app.add_flag("--no-measure", refuse_, "never measure: where no record fits, say what to run")->group(group);
    add_seconds(app, "--time", seconds_, "that a measurement may take, about (2min)")->group(group);
  }

  Result<> run(const Global& global) override {
    WAGGLE_TRY(check_said());
    WAGGLE_LET(spec, options_.spec(global));
    WAGGLE_LET(asked, question(spec));
    WAGGLE_LET(at, here());
    if (measure_) {
      return measure(std::move(spec), asked, at, global);
    }
    WAGGLE_LET(set, records());
    for (const auto& line : set.left_out) {
      print_error("harness: left out: {}\n", printable(line));
    }
    const auto experiments = answers::experiments(set);
    const auto nearest = answers::nearest(experiments, asked, at);
    if (nearest.experiment != nullptr) {
      return tell(nearest, at, global, false);
    }
    if (refuse_ || !places_.empty() || !is_attended()) {
      return fail(Fault::usage, printable(why_none(nearest)), what_to_do());
    }
    if (!global.quiet) {
      print_error("harness: {}\n", printable(why_none(nearest)));
    }
    return measure(std::move(spec), asked, at, global);
  }

 private:
  /// What contradicts itself.
  Result<> check_said() const {
    if (measure_ && refuse_) {
      return fail(Fault::usage, "--measure and --no-measure exclude each other", "leave one of them out");
    }
    if (measure_ && !places_.empty()) {
      return fail(Fault::usage, "--measure asks no records", "leave out their names, or --measure");
    }
    return {};
  }

  /// Whether somebody sees what is going on, and can end it.
  static bool is_attended() { return stderr_is_terminal() && ::isatty(STDIN_FILENO) == 1; }

  Result<answers::Question> question(const experiment::Spec& spec) const {
    WAGGLE_LET(workload, workloads::find_workload(spec.workload));
    const auto said = options_.asked();
    return answers::Question{.asked = experiment::asked(spec),
                             .said = {said.begin(), said.end()},
                             .link = spec.link,
                             .file_size = std::string(workload->traits().file_size),
                             .options = options_told(*workload)};
  }

  /// Those that were named, or those in the usual place, where there need not be any.
  Result<answers::RecordSet> records() const {
    if (!places_.empty()) {
      return answers::read_records(places_);
    }
    auto set = answers::read_records({results_place()});
    const bool none = !set && (set.error().fault == Fault::usage || set.error().fault == Fault::not_found);
    if (none) {
      return answers::RecordSet{};
    }
    return set;
  }

  /// Who names records asks these alone.
  std::string what_to_do() const {
    const auto lasts = fmt::format("to compare now, for about {}", format_duration_ns(seconds_ * 1e9));
    return refuse_            ? "leave out --no-measure " + lasts
           : !places_.empty() ? "leave out the records and add --measure " + lasts
                              : "add --measure " + lasts;
  }

  static std::string why_none(const answers::Nearest& nearest) {
    const auto aside = nearest.aside.empty() ? "" : fmt::format(" (left aside: {})", fmt::join(nearest.aside, ", "));
    return fmt::format("no record answers this: {}{}", nearest.why_none, aside);
  }

  /// The comparison that `compare --datapaths=all` makes, of what is a way to move files, as long as there is time.
  Result<> measure(experiment::Spec spec, const answers::Question& asked, const answers::Here& at,
                   const Global& global) const {
    WAGGLE_LET(pairs, experiment::parse_pairs("all", "", experiment::payload_sink(spec)));
    std::erase_if(pairs, [](const experiment::Pair& pair) {
      const auto sender = find_datapath(pair.sender);
      return !sender || (*sender)->demonstrates();
    });
    WAGGLE_TRY(options_.use(spec, std::move(pairs)));
    const auto takes = suite::shorten(spec, seconds_);
    if (!global.quiet) {
      print_error("harness: comparing {} datapaths, for about {}\n", takes.contestants,
                  format_duration_ns(takes.seconds * 1e9));
    }
    WAGGLE_LET(kept, run_and_keep(std::move(spec), global));
    answers::RecordSet set;
    set.sources.push_back({.id = "r1",
                           .file = kept.file ? kept.file->filename().native() : std::string("(not written)"),
                           .record = record::printable(std::move(kept.record))});
    const auto experiments = answers::experiments(set);
    const auto nearest = answers::measured(experiments, asked);
    if (nearest.experiment == nullptr) {
      WAGGLE_TRY(kept.outcome);
      return fail(Fault::missing, "nothing could be measured", "see harness doctor");
    }
    WAGGLE_TRY(tell(nearest, at, global, true));
    if (!global.quiet && !global.json && kept.file) {
      fmt::print("\nRecord: {}\n", printable(kept.file->native()));
    }
    // Who failed is named in the advice; it holds for the others.
    const bool holds = kept.outcome || (kept.file && kept.outcome.error().fault != Fault::cancelled);
    return holds ? Result<>() : kept.outcome;
  }

  Result<> tell(const answers::Nearest& nearest, const answers::Here& at, const Global& global, bool measured) const {
    const auto& record = nearest.experiment->record();
    const auto goal = value_of<answers::Goal>(goal_).value_or(answers::usual_goal(record.workload));
    WAGGLE_LET(advice, answers::advise(nearest, at, goal, demand_of));
    if (global.json) {
      auto told = answers::advice_json(advice);
      told["measured"] = measured;
      told["aside"] = nearest.aside;
      fmt::print("{}\n", record::json_text(told, 2));
      return {};
    }
    fmt::print("{}", answers::advice_text(advice, output_style(global)));
    if (!measured && !global.quiet) {
      fmt::print("\nRecord: {}\n", printable(nearest.experiment->source->file));
      for (const auto& line : nearest.aside) {
        fmt::print("Left aside: {}\n", printable(line));
      }
    }
    return {};
  }

  ExperimentOptions options_;
  std::vector<std::string> places_;
  std::string goal_;
  bool measure_ = false;
  bool refuse_ = false;
  double seconds_ = 120;
};

const Registration advise_registration{std::make_unique<Advise>()};

}  // namespace
}  // namespace waggle::cli
