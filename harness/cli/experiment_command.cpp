// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/experiment_command.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "harness/cli/progress.hpp"
#include "harness/cli/results_place.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/record/file.hpp"
#include "harness/record/json_text.hpp"
#include "harness/topology/limits.hpp"

namespace waggle::cli {
namespace {

/// "results/20261121-024500-download-sendfile.json".
std::filesystem::path default_record(const experiment::Spec& spec) {
  const auto what = spec.pairs.size() == 1 ? spec.pairs.front().label() : std::string("compare");
  return std::filesystem::path(results_place()) /
         fmt::format("{:%Y%m%d-%H%M%S}-{}-{}.json", fmt::gmtime(std::time(nullptr)), spec.workload, what);
}

/// Makes sure, before minutes are spent, that the record can be written, and over nothing that somebody has `chosen`.
Result<> check_record(const std::filesystem::path& record, bool chosen) {
  const auto* const hint =
      ::geteuid() == 0 ? "choose another place with --output" : "be root, or choose another place with --output";
  std::error_code error;
  const auto folder = record.has_parent_path() ? record.parent_path() : std::filesystem::path(".");
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail_errno(fmt::format("cannot make {}", folder.string()), error.value(), hint);
  }
  if (std::filesystem::is_directory(record, error)) {
    return fail(Fault::usage, fmt::format("--output: {} is a directory", record.string()), "name a file");
  }
  if (std::filesystem::is_fifo(record, error)) {
    return fail(Fault::usage,
                fmt::format("--output: {} is a FIFO, at which a record could wait for ever", record.string()),
                "name a file");
  }
  if (chosen && std::filesystem::is_regular_file(record, error)) {
    return fail(Fault::usage, fmt::format("--output: {} exists, and no record overwrites a file", record.string()),
                "name another file, or remove that one");
  }
  if (std::filesystem::exists(record, error)) {
    return {};  // /dev/stdout and the like
  }
  std::string name = (folder / ".waggle-probe-XXXXXX").string();
  const UniqueFd probe(::mkostemp(name.data(), O_CLOEXEC));
  if (!probe) {
    return fail_errno(fmt::format("cannot write the record {}", record.string()), errno, hint);
  }
  ::unlink(name.c_str());
  return {};
}

/// What the exit code must say about the experiment as a whole.
Result<> verdict(const record::Record& record) {
  if (record.interrupted.value_or(false)) {
    return fail(Fault::cancelled, "interrupted; the figures are of the runs that were made until then");
  }
  const auto& contestants = record.contestants;
  const auto with = [&](record::Status status) {
    return std::ranges::find(contestants, status, &record::Contestant::status);
  };
  const auto failed = with(record::Status::failed);
  const auto bad = failed != contestants.end()                     ? failed
                   : with(record::Status::ok) != contestants.end() ? contestants.end()
                                                                   : with(record::Status::unavailable);
  if (bad == contestants.end()) {
    return {};
  }
  return fail(bad->fault.value_or(Fault::io), fmt::format("{}: {}", bad->label, bad->reason.value_or("")),
              bad->hint.value_or(""));
}

}  // namespace

Result<KeptRecord> run_and_keep(experiment::Spec spec, const Global& global) {
  const bool chosen = !spec.record.empty();
  if (!chosen) {
    spec.record = default_record(spec);
  }
  WAGGLE_TRY(check_record(spec.record, chosen));
  const std::uint64_t clients = spec.parameters.clients;
  WAGGLE_TRY(topology::check_limits(topology::needs_of_clients(clients),
                                    clients == 1 ? "the processes of a run" : fmt::format("{} clients", clients)));
  // NAPI threads are pinned to the CPU of the process that receives, however many there are.
  if (!global.quiet && spec.napi == experiment::NapiChoice::threaded && spec.channel.wait == Wait::spin) {
    print_error("harness: a process that spins starves the NAPI thread on its CPU; use --wait=sleep\n");
  }
  Result<record::Record> record;
  {
    ProgressBar bar(global);
    experiment::Watcher watcher;
    watcher.progress = [&bar](double fraction, const std::string& doing, double rate) {
      bar.update(fraction, doing, rate);
    };
    record = experiment::run_experiment(spec, watcher);
  }
  if (!record) {
    auto error = std::move(record).error();
    if (error.fault == Fault::cancelled && error.hint.empty()) {
      error.hint = "no timed run had ended, so nothing was recorded";
    }
    return std::unexpected(std::move(error));
  }
  auto written = record::write_record(spec.record, record::to_json(*record));
  // Figures that could not be kept are still shown.
  auto outcome = written ? verdict(*record) : std::unexpected(written.error());
  return KeptRecord{.record = *std::move(record),
                    .file = written ? std::optional(*std::move(written)) : std::nullopt,
                    .outcome = std::move(outcome)};
}

Result<> run_and_print(experiment::Spec spec, const Global& global,
                       std::string (*table)(const record::Record& record, const report::Style& style)) {
  const bool shared = spec.server_cpu == spec.client_cpu;
  const int cpu = spec.server_cpu;
  WAGGLE_LET(kept, run_and_keep(std::move(spec), global));
  if (global.json) {
    fmt::print("{}\n", record::json_text(record::to_json(kept.record), 2));
    return kept.outcome;
  }
  if (!kept.outcome && kept.file && kept.record.contestants.size() == 1 && !kept.record.interrupted) {
    return kept.outcome;  // the error says it all
  }
  fmt::print("{}", table(record::printable(kept.record), output_style(global)));
  if (!global.quiet) {
    if (kept.file) {
      fmt::print("\nRecord: {}\n", printable(kept.file->native()));
    }
    if (shared) {
      fmt::print("Server and client shared CPU {}: figures are lower than with one each.\n", cpu);
    }
  }
  return kept.outcome;
}

}  // namespace waggle::cli
