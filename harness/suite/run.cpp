// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "harness/experiment/interrupt.hpp"
#include "harness/experiment/unmeasured.hpp"
#include "harness/measure/environment.hpp"
#include "harness/record/archive.hpp"
#include "harness/record/file.hpp"
#include "harness/suite/estimate.hpp"
#include "harness/topology/limits.hpp"
#include "harness/topology/network_namespace.hpp"

namespace waggle::suite {
namespace {

/// The experiment, or when it cannot begin, the record that says why.
Result<record::Record> measure_one(const Planned& planned, const Call& call, const experiment::Watcher& watcher) {
  experiment::Spec spec = planned.spec;
  spec.command_line = call.command_line;
  const auto run = [&]() -> Result<record::Record> {
    if (planned.problem) {
      return std::unexpected(*planned.problem);
    }
    const std::uint64_t clients = spec.parameters.clients;
    WAGGLE_TRY(
        topology::check_limits(topology::needs_of_clients(clients), fmt::format("a run of {} clients", clients)));
    return experiment::run_experiment(spec, watcher);
  };
  auto record = run();
  if (!record && record.error().fault != Fault::cancelled) {
    record = experiment::unmeasured(spec, record.error());
  }
  if (record) {
    record->suite = record::InSuite{.name = planned.suite,
                                    .experiment = planned.id,
                                    .title = planned.title,
                                    .point = planned.point,
                                    .digest = planned.digest};
  }
  return record;
}

bool is_same(const record::Revision& a, const record::Revision& b) {
  return a.revision == b.revision && a.dirty == b.dirty;
}

class SuiteRunner {
 public:
  SuiteRunner(const Suite& suite, const Call& call, const Watch& watch, record::Revision revision)
      : suite_(suite), call_(call), watch_(watch), revision_(std::move(revision)) {}

  Result<std::vector<Finished>> go(experiment::Interrupt& interrupt) {
    const auto& experiments = suite_.experiments;
    if (call_.resume) {
      kept_ = Kept::in(call_.folder);
      for (const auto& file : kept_.broken()) {
        note(fmt::format("{} is no whole record and is left alone", file.string()));
      }
    }
    choose();
    for (std::size_t i = 0; i < experiments.size(); ++i) {
      if (kept_by_[i] != nullptr) {
        finish(
            {.experiment = &experiments[i], .file = kept_by_[i]->file, .tally = kept_by_[i]->tally, .measured = false});
        continue;
      }
      const auto begun = interrupt.check();
      auto done = begun ? take(i) : begun;
      if (!done && done.error().fault == Fault::cancelled) {
        return fail(Fault::cancelled, fmt::format("interrupted; {} of {} experiments are recorded", finished_.size(),
                                                  experiments.size()));
      }
      WAGGLE_TRY(std::move(done));
    }
    return std::move(finished_);
  }

 private:
  /// Which experiments are recorded already, and what the others weigh.
  void choose() {
    std::size_t other_build = 0;
    for (const Planned& planned : suite_.experiments) {
      const Kept::Found* found = kept_.match(planned);
      if (found != nullptr && !found->whole()) {
        found = nullptr;
      }
      if (found != nullptr && !call_.any_revision && !is_same(found->revision, revision_)) {
        ++other_build;
        found = nullptr;
      }
      kept_by_.push_back(found);
      weights_.push_back(found != nullptr ? 0 : std::max(1.0, estimate(planned).seconds));
      all_ += weights_.back();
    }
    if (other_build > 0) {
      note(
          fmt::format("{} records are of another build of this program and are measured again; --any-revision keeps "
                      "them",
                      other_build));
    }
  }

  Result<> take(std::size_t i) {
    const Planned& planned = suite_.experiments[i];
    const auto began = now_ns();
    experiment::Watcher watcher;
    if (watch_.progress) {
      watcher.progress = [&](double fraction, const std::string& doing, double rate) {
        watch_.progress((before_ + weights_[i] * fraction) / all_,
                        fmt::format("{}/{} {}: {}", i + 1, suite_.experiments.size(), planned.label(), doing), rate);
      };
    }
    WAGGLE_LET(record, measure_one(planned, call_, watcher));
    if (record.interrupted.value_or(false)) {
      return fail(Fault::cancelled, "interrupted");  // half of an experiment is measured again, so it is not kept
    }
    for (const Kept::Found* older : kept_.of(planned)) {
      WAGGLE_TRY(set_aside(older->file));
    }
    WAGGLE_LET(file, record::write_record(call_.folder / file_name(planned), record::to_json(record)));
    before_ += weights_[i];
    finish({.experiment = &planned,
            .file = std::move(file),
            .tally = tally_of(record),
            .seconds = static_cast<double>(now_ns() - began) / 1e9});
    return {};
  }

  void finish(Finished finished) {
    finished_.push_back(std::move(finished));
    if (watch_.finished) {
      watch_.finished(finished_.back());
    }
  }
  void note(const std::string& text) const {
    if (watch_.note) {
      watch_.note(text);
    }
  }

  const Suite& suite_;
  const Call& call_;
  const Watch& watch_;
  record::Revision revision_;
  Kept kept_;
  std::vector<const Kept::Found*> kept_by_;  ///< nothing for what is to be measured
  std::vector<double> weights_;              ///< seconds that the bar counts for each
  double all_ = 0;
  double before_ = 0;
  std::vector<Finished> finished_;
};

}  // namespace

Result<std::vector<Finished>> run_suite(const Suite& suite, const Call& call, const Watch& watch) {
  WAGGLE_LET(revision, record::read<record::Revision>(measure::revision()));
  // Held over all experiments: a signal between two of them must not end the program before it has said how to go on.
  WAGGLE_LET(interrupt, experiment::Interrupt::watch());
  // Without the rights nothing could run, and nobody wants a record of each of them that says so.
  WAGGLE_TRY(topology::NetworkNamespace::create());
  return SuiteRunner(suite, call, watch, std::move(revision)).go(interrupt);
}

}  // namespace waggle::suite
