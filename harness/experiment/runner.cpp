// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/clock.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/environment.hpp"
#include "harness/experiment/granted.hpp"
#include "harness/experiment/one_run.hpp"
#include "harness/experiment/record.hpp"
#include "harness/experiment/repetitions.hpp"
#include "harness/experiment/schedule.hpp"
#include "harness/experiment/site.hpp"
#include "harness/experiment/spec_check.hpp"
#include "harness/experiment/suitability.hpp"
#include "harness/experiment/timeline.hpp"
#include "harness/record/metric.hpp"

namespace waggle::experiment {
namespace {

/// What the runner knows of an entry while it runs, besides what goes into the record.
struct Progression {
  std::uint64_t bin_ns = 10'000'000;
  std::size_t done = 0;
  std::size_t expected = 0;
};

/// Makes the runs of one experiment, in the order of its schedule.
class Runner {
 public:
  Runner(const Spec& spec, const Watcher& watcher, Site& site, std::vector<Entry>& entries, record::Workload workload)
      : spec_(spec),
        watcher_(watcher),
        site_(site),
        entries_(entries),
        workload_(std::move(workload)),
        progressions_(entries.size()),
        bounds_(run_bounds(spec)),
        repetitions_(entries.size(),
                     {.least = bounds_.least,
                      .most = bounds_.most,
                      .target = spec.interval_target,
                      .budget_seconds = spec.budget_seconds},
                     spec.placement) {}

  Result<> go(std::uint32_t probed) {
    Schedule schedule({.pairs = entries_.size(), .warmups = spec_.warmups, .probed = probed, .seed = spec_.seed});
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      progressions_[i].expected = spec_.warmups + bounds_.least + probed;
      if (entries_[i].problem) {
        schedule.drop(i);
        repetitions_.drop(i);
        progressions_[i].expected = 0;
      }
    }
    while (const auto turn = schedule.next()) {
      WAGGLE_TRY(take(*turn, schedule));
    }
    return {};
  }

 private:
  Result<> take(const Turn& turn, Schedule& schedule) {
    Entry& entry = entries_[turn.pair];
    Progression& state = progressions_[turn.pair];
    const auto before = now_ns();
    auto done = run_once(spec_, site_, *entry.contestant,
                         {.kind = turn.kind, .bin_ns = state.bin_ns, .progress = [&](std::uint64_t bytes) {
                            tell(turn, bytes, before);
                          }});
    const auto order = order_++;
    record::Run run = done ? std::move(done->run) : record::Run{};
    run.kind = turn.kind;
    run.order = order;
    run.round = schedule.round();
    ++state.done;
    if (!done) {
      if (done.error().fault == Fault::cancelled || done.error().fault == Fault::usage) {
        return std::unexpected(std::move(done).error());
      }
      give_up(entry, std::move(run), done.error());
      schedule.drop(turn.pair);
      repetitions_.drop(turn.pair);
      state.expected = state.done;
      return {};
    }
    keep_facts(entry, std::move(done->facts));
    state.bin_ns = bin_width(run.seconds);
    if (turn.kind == RunKind::timed) {
      note(turn, run, static_cast<double>(now_ns() - before) / 1e9, schedule);
    }
    entry.runs.push_back(std::move(run));
    return {};
  }

  /// What was granted in warm-up runs is not told.
  static void keep_facts(Entry& entry, std::vector<record::Facts> latest) {
    std::vector<record::Facts> earlier;
    if (std::ranges::any_of(entry.runs, [](const record::Run& run) { return run.kind != RunKind::warmup; })) {
      for (const record::Participant& party : entry.parties) {
        earlier.push_back(party.facts.value_or(record::Facts{}));
      }
    }
    auto facts = over_runs(earlier, std::move(latest));
    for (std::size_t i = 0; i < entry.parties.size(); ++i) {
      entry.parties[i].facts = std::move(facts.at(i));
    }
  }

  /// A timed run, `seconds` long with its set-up: whether it counts, and what all pairs need now.
  void note(const Turn& turn, record::Run& run, double seconds, Schedule& schedule) {
    const record::Conditions& conditions = *run.conditions;
    const auto verdict = repetitions_.note(turn.pair, {.value = metric(workload_, run),
                                                       .distance_ns = distance_ns(conditions),
                                                       .moved = has_moved(conditions),
                                                       .seconds = seconds});
    if (verdict != Repetitions::Verdict::counts) {
      run.kind = RunKind::moved;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entries_[i].stopped = repetitions_.stopped(i);
      schedule.set_timing(i, repetitions_.needs_more(i));
      progressions_[i].expected = progressions_[i].done + repetitions_.missing(i);
    }
    if (verdict == Repetitions::Verdict::repeat) {
      schedule.repeat(turn);
    }
  }

  void give_up(Entry& entry, record::Run run, const Error& error) {
    // What a machine lacks shows in the very first run; the pair was never able to run.
    entry.unavailable = error.fault == Fault::missing && entry.runs.empty();
    entry.problem = error;
    if (!entry.unavailable) {
      run.status = record::Outcome::failed;
      run.reason = error.text();
      run.fault = error.fault;
      entry.runs.push_back(std::move(run));
    }
    site_.tidy();
  }

  void tell(const Turn& turn, std::uint64_t bytes, std::uint64_t since) {
    if (!watcher_.progress) {
      return;
    }
    std::size_t done = 0;
    std::size_t expected = 0;
    for (const Progression& each : progressions_) {
      done += each.done;
      expected += std::max(each.expected, each.done);
    }
    const Progression& state = progressions_[turn.pair];
    const std::string doing =
        fmt::format("{} {} run {}/{}", entries_[turn.pair].label, name(turn.kind), state.done + 1, state.expected);
    const double seconds = static_cast<double>(now_ns() - since) / 1e9;
    watcher_.progress(static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(1, expected)), doing,
                      seconds > 0 ? static_cast<double>(bytes) / seconds : 0);
  }

  const Spec& spec_;
  const Watcher& watcher_;
  Site& site_;
  std::vector<Entry>& entries_;
  record::Workload workload_;  ///< tells which metric counts
  std::vector<Progression> progressions_;
  RunBounds bounds_;
  Repetitions repetitions_;
  std::size_t order_ = 0;
};

/// Checks what cannot be meant, and fills in what was left open.
Result<> complete(Spec& spec) {
  if (spec.pairs.empty()) {
    return fail(Fault::usage, "no datapath was named", "name one with --datapath");
  }
  for (Pair& pair : spec.pairs) {
    WAGGLE_TRY(find_datapath(pair.sender));
    if (pair.receiver.empty()) {
      pair.receiver = default_receiver(pair.sender);
    }
    WAGGLE_TRY(find_datapath(pair.receiver));
  }
  WAGGLE_TRY(settle(spec, said(spec)));
  WAGGLE_TRY(check_settings_used(spec));
  while (spec.seed == 0) {
    spec.seed = std::random_device()();
  }
  return {};
}

/// Makes what there is of an interrupted experiment one that can be told: pairs without a timed run have failed. False
/// when that is all of them.
bool close_early(std::vector<Entry>& entries) {
  bool any = false;
  for (Entry& entry : entries) {
    if (entry.problem) {
      continue;
    }
    const bool timed = std::ranges::any_of(entry.runs, [](const record::Run& run) { return counts(run, {}); });
    if (!timed) {
      entry.problem = fail(Fault::cancelled, "interrupted before it had a timed run").error();
    } else if (entry.stopped == Stop::no) {
      entry.stopped = Stop::interrupted;
    }
    any = any || timed;
  }
  return any;
}

}  // namespace

Result<record::Record> run_experiment(const Spec& asked, const Watcher& watcher) {
  Spec spec = asked;
  WAGGLE_TRY(complete(spec));
  WAGGLE_LET(frame, begin_frame(spec));
  WAGGLE_LET(interrupt, Interrupt::watch());
  if (watcher.progress) {
    watcher.progress(0, "making files", 0);
  }
  std::vector<Entry> entries;
  for (Pair& pair : spec.pairs) {
    entries.push_back(assess(pair, spec));
  }
  WAGGLE_LET(site, Site::build(spec, entries, interrupt));
  std::uint32_t probed = spec.probed_runs;
  if (probed > 0) {
    // Asked once, so that no run has to find out.
    if (const auto probes = site->host().ask(TryProbes{}, interrupt, {.most = Agent::kProbing, .alive = {}}); !probes) {
      if (probes.error().fault == Fault::cancelled) {
        return std::unexpected(probes.error());
      }
      probed = 0;
      for (Entry& entry : entries) {
        entry.probe_problem = probes.error().text();
      }
    }
  }
  WAGGLE_TRY(begin_survey(spec, *site));
  const auto ran = Runner(spec, watcher, *site, entries, frame.workload).go(probed);
  bool interrupted = !ran && ran.error().fault == Fault::cancelled && close_early(entries);
  if (!interrupted) {
    WAGGLE_TRY(ran);
  }
  // A signal takes away what is to come, not what was measured; only a second one takes that, too.
  interrupted = interrupted || !interrupt.check();
  if (interrupted) {
    interrupt.rearm();
  }
  auto environment = end_survey(*site, entries);
  if (!environment && environment.error().fault == Fault::cancelled && !interrupted) {
    interrupted = true;
    interrupt.rearm();
    environment = end_survey(*site, entries);
  }
  WAGGLE_TRY(environment);
  frame.environment = *std::move(environment);
  record::Record record = build_record(spec, frame, entries);
  if (interrupted || !interrupt.check()) {
    record.interrupted = true;
  }
  return record;
}

}  // namespace waggle::experiment
