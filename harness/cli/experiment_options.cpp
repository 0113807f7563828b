// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/experiment_options.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <tuple>

#include "base/unique_fd.hpp"
#include "harness/cli/cpus.hpp"
#include "harness/measure/probe.hpp"

namespace waggle::cli {
namespace {

using experiment::Spec;

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto* workload : workloads::workloads()) {
    names.emplace_back(workload->name());
  }
  return names;
}

}  // namespace

void ExperimentOptions::add_to(CLI::App& app) {
  if (const auto cpus = parse_cpus(spec_.cpus, {})) {
    std::tie(spec_.server_cpu, spec_.client_cpu) = *cpus;
  }
  add_workload_options(app);
  add_environment_options(app);
  add_repetition_options(app);
  settings_.add_to(app, "Where and how");
}

void ExperimentOptions::add_workload_options(CLI::App& app) {
  auto& p = spec_.parameters;
  const auto own = [this](const std::string& name, CLI::Option* option) {
    option->group("Workload");
    parameters_.emplace_back(name, option);
    return option;
  };
  add_choice(app, "--workload", spec_.workload, workload_names(), "what is asked of the datapath (download)")
      ->option_text("NAME")
      ->group("Workload");
  size_ = own("size", add_bytes(app, "--size", p.size, "of the file (1GiB)"));
  app.add_option("--file", file_, "send this file instead of a made one")->option_text("PATH")->group("Workload");
  own("count", app.add_option("--count", p.count, "files, rounds or reads")->option_text("N"));
  own("small-min", add_bytes(app, "--small-min", p.small_min, "of the smallest file (0)"));
  own("small-max", add_bytes(app, "--small-max", p.small_max, "of the largest file (16KiB)"));
  own("request", add_bytes(app, "--request", p.request, "of a request (64)"));
  own("response", add_bytes(app, "--response", p.response, "of a response (64)"));
  own("rate", add_rate(app, "--rate", p.rate, "requests per second; 0 is closed loop (0)"));
  own("seconds", add_seconds(app, "--seconds", p.seconds, "length of a run (1)"));
  own("block", add_bytes(app, "--block", p.block, "per read (4KiB)"));
  own("depth", app.add_option("--depth", p.depth, "reads under way (1)")->option_text("N"));
  own("direction", add_choice(app, "--direction", direction_, {"download", "upload"}, "(download)"));
  app.add_option("--clients", p.clients, "connections at once, each doing all of it (1)")
      ->option_text("N")
      ->check(CLI::Range(1, 1024))
      ->group("Workload");
}

void ExperimentOptions::add_environment_options(CLI::App& app) {
  const std::string where = "Where and how";
  // Not every workload has a use for these.
  parameters_.emplace_back("sink",
                           add_choice(app, "--sink", sink_, {"discard", "file", "tmpfs"}, "what receives (tmpfs)"));
  parameters_.emplace_back("huge", app.add_flag("--huge", spec_.tmpfs_huge, "mount the tmpfs with huge=always"));
  parameters_.emplace_back("cache",
                           add_choice(app, "--cache", cache_, {"warm", "cold"}, "page cache of the source (warm)"));
  for (const auto* name : {"--sink", "--huge", "--cache"}) {
    app.get_option(name)->group(where);
  }
  app.add_option("--work", spec_.work, "where files are made (/var/tmp)")->option_text("DIR")->group(where);
  add_choice(app, "--link", spec_.link, {"auto", "veth", "loopback", "vhost", "nic"},
             "auto: each datapath's first one (auto)")
      ->group(where);
  app.add_option("--pci", spec_.pci, "of the server's and the client's NIC, for --link=nic")
      ->option_text("ADDRESS,ADDRESS")
      ->delimiter(',')
      ->expected(2)
      ->group(where);
  app.add_option("--mtu", spec_.mtu, "of the link, bytes; 0: 1500, or on vhost and nic what the datapath likes (0)")
      ->option_text("N")
      ->check(CLI::IsMember({0U}) | CLI::Range(68U, 65535U))
      ->group(where);
  app.add_option("--queues", spec_.queues, "of a veth, each way (1)")
      ->option_text("N")
      ->check(CLI::Range(1U, 64U))
      ->group(where);
  add_choice(app, "--napi", napi_, {"auto", "softirq", "threaded"},
             "where a veth receives; auto: what the datapath does best with (auto)")
      ->group(where);
  add_choice(app, "--offloads", offloads_, {"on", "off"}, "TSO, GSO, GRO and checksums (on)")->group(where);
  cpus_ = app.add_option("--cpus", spec_.cpus,
                         "near (two cores of one L3), far, siblings, or N,M; auto: near, or the next best (auto)")
              ->option_text("CPUS")
              ->group(where);
  server_cpu_ =
      app.add_option("--server-cpu", spec_.server_cpu, fmt::format("where the server runs ({})", spec_.server_cpu))
          ->option_text("N")
          ->group(where);
  client_cpu_ =
      app.add_option("--client-cpu", spec_.client_cpu, fmt::format("where the client runs ({})", spec_.client_cpu))
          ->option_text("N")
          ->group(where);
  add_choice(app, "--placement", placement_, {"same", "report", "any"},
             "when CPUs are moved: repeat runs, tell, or count all (same)")
      ->group(where);
  app.add_option("--congestion", spec_.channel.congestion, "congestion control (cubic)")
      ->option_text("NAME")
      ->group(where);
  add_bytes(app, "--send-buffer", spec_.channel.send_buffer, "of sockets; 0: the kernel decides (0)")->group(where);
  add_bytes(app, "--receive-buffer", spec_.channel.receive_buffer, "likewise (0)")->group(where);
  add_choice(app, "--wait", wait_, {"sleep", "spin"}, "how a channel is waited for (sleep)")->group(where);
  add_choice(app, "--digest", digest_, {"xxh3", "sha256"}, "how payload is verified (xxh3)")->group(where);
  app.add_flag("--allow-fallback", spec_.channel.allow_fallback, "go on when the kernel grants less")->group(where);
}

void ExperimentOptions::add_repetition_options(CLI::App& app) {
  const std::string group = "Repetitions";
  app.add_option("--runs", runs_, "exactly so many timed runs")
      ->option_text("N")
      ->check(CLI::Range(1, 100000))
      ->group(group);
  least_runs_ = app.add_option("--least-runs", spec_.least_runs, "a pilot that decides how many are made (6)")
                    ->option_text("N")
                    ->check(CLI::Range(1, 100000))
                    ->group(group);
  most_runs_ = app.add_option("--most-runs", spec_.most_runs, "at most so many (30)")
                   ->option_text("N")
                   ->check(CLI::Range(1, 100000))
                   ->group(group);
  budget_ = add_seconds(app, "--budget", spec_.budget_seconds, "for the timed runs of a pair (20s)")->group(group);
  app.add_option("--warmups", spec_.warmups, "runs that are dropped (1)")->option_text("N")->group(group);
  probed_ = app.add_option("--probed", spec_.probed_runs, "runs that are traced, not timed (1)")
                ->option_text("N")
                ->group(group);
  app.add_option("--seed", spec_.seed, "of the order of the runs; 0: drawn (0)")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{0xFFFF'FFFF}))
      ->group(group);
  app.add_option("--output,-o", spec_.record, "where the record goes (results/…)")
      ->option_text("FILE")
      ->group("Output");
}

Result<> ExperimentOptions::check_workload() const {
  WAGGLE_LET(workload, workloads::find_workload(spec_.workload));
  const auto options = workload->options();
  for (const auto& [name, option] : parameters_) {
    if (option->count() > 0 && std::ranges::find(options, name, &workloads::OptionInfo::name) == options.end()) {
      std::vector<std::string> known;
      std::ranges::transform(options, std::back_inserter(known), [](const auto& o) { return "--" + o.name; });
      return fail(Fault::usage, fmt::format("--{} says nothing to the workload {}", name, workload->name()),
                  fmt::format("it takes {}", fmt::join(known, ", ")));
    }
  }
  return {};
}

Result<> ExperimentOptions::check_file() const {
  if (file_.empty()) {
    return {};
  }
  if (spec_.workload != "download" && spec_.workload != "upload") {
    return fail(Fault::usage, fmt::format("--file says nothing to the workload {}", spec_.workload),
                "use it with --workload=download or --workload=upload");
  }
  if (size_->count() > 0) {
    return fail(Fault::usage, "--file and --size exclude each other", "leave one of them out");
  }
  UniqueFd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot open {}", file_), errno, "name a file that can be read with --file");
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Fault::usage, fmt::format("{} is not a regular file", file_), "name one with --file");
  }
  return {};
}

Result<> ExperimentOptions::check_machine() const {
  const auto cpus = allowed_cpus();
  for (const auto& [option, cpu] : {std::pair{"--server-cpu", spec_.server_cpu}, {"--client-cpu", spec_.client_cpu}}) {
    if (std::ranges::find(cpus, cpu) == cpus.end()) {
      return fail(Fault::usage, fmt::format("{}: there is no CPU {} to run on", option, cpu),
                  fmt::format("choose one of: {}", fmt::join(cpus, ", ")));
    }
  }
  if (spec_.tmpfs_huge && sink_ != "tmpfs") {
    return fail(Fault::usage, fmt::format("--huge is a property of a tmpfs, and the sink is {}", sink_),
                "choose --sink=tmpfs or leave --huge out");
  }
  if (!spec_.pci.empty() && spec_.link != "nic") {
    return fail(Fault::usage, fmt::format("--pci says nothing to the link {}", spec_.link), "add --link=nic");
  }
  for (const auto& [option, given] : {std::pair{"--napi", napi_ != "auto"}, {"--queues", spec_.queues != 1}}) {
    if (given && spec_.link != "auto" && spec_.link != "veth") {
      return fail(Fault::usage, fmt::format("{} says nothing to the link {}", option, spec_.link), "leave it out");
    }
  }
  std::error_code error;
  if (!std::filesystem::is_directory(spec_.work, error)) {
    return fail(Fault::not_found, fmt::format("--work: {} is not a directory", spec_.work.string()),
                "name a directory with room for the files");
  }
  return {};
}

/// Copies are modelled where probes cannot run, but not when somebody has asked for probes.
Result<> ExperimentOptions::check_probing() const {
  if (probed_->count() == 0 || spec_.probed_runs == 0) {
    return {};
  }
  const auto grades = measure::grades();
  std::string reason;
  for (const auto grade : {measure::Grade::counted, measure::Grade::traced}) {
    const auto found = grades.find(grade);
    if (found != grades.end() && found->second) {
      return {};
    }
    reason = found == grades.end() ? "" : found->second.error().text();
  }
  return fail(Fault::missing, fmt::format("--probed: nothing can be traced here: {}", reason));
}

Result<> ExperimentOptions::settle_repetitions(Spec& spec) const {
  if (runs_ != 0) {
    if (least_runs_->count() + most_runs_->count() + budget_->count() > 0) {
      return fail(Fault::usage, "--runs says it all", "leave out --least-runs, --most-runs and --budget");
    }
    spec.least_runs = runs_;
    spec.most_runs = runs_;
  }
  if (most_runs_->count() == 0) {
    spec.most_runs = std::max(spec.most_runs, spec.least_runs);
  }
  if (least_runs_->count() == 0) {
    spec.least_runs = std::min(spec.least_runs, spec.most_runs);
  }
  if (spec.least_runs > spec.most_runs) {
    return fail(Fault::usage, fmt::format("at least {} runs and at most {} cannot be", spec.least_runs, spec.most_runs),
                "choose --least-runs <= --most-runs");
  }
  return {};
}

/// --cpus, or one option for each end.
Result<> ExperimentOptions::settle_cpus(Spec& spec) const {
  const bool each = server_cpu_->count() + client_cpu_->count() > 0;
  if (each && cpus_->count() > 0) {
    return fail(Fault::usage, "--cpus says it all", "leave out --server-cpu and --client-cpu");
  }
  if (!each) {
    WAGGLE_LET(chosen, parse_cpus(spec.cpus, spec.pci));
    std::tie(spec.server_cpu, spec.client_cpu) = chosen;
  } else {
    spec.cpus = fmt::format("{},{}", spec.server_cpu, spec.client_cpu);
  }
  return {};
}

Result<Spec> ExperimentOptions::spec(const Global& global) const {
  WAGGLE_TRY(check_workload());
  WAGGLE_TRY(check_file());
  WAGGLE_TRY(check_machine());
  Spec spec = spec_;
  WAGGLE_TRY(settle_repetitions(spec));
  WAGGLE_TRY(settle_cpus(spec));
  spec.placement = placement_ == "any"      ? experiment::PlacementRule::any
                   : placement_ == "report" ? experiment::PlacementRule::report
                                            : experiment::PlacementRule::same;
  spec.sink = sink_ == "discard" ? experiment::Sink::discard
              : sink_ == "file"  ? experiment::Sink::file
                                 : experiment::Sink::tmpfs;
  spec.cache = cache_ == "cold" ? experiment::Cache::cold : experiment::Cache::warm;
  spec.offloads = offloads_ == "on";
  spec.channel.wait = wait_ == "spin" ? Wait::spin : Wait::sleep;
  spec.parameters.upload = direction_ == "upload";
  WAGGLE_LET(digest, parse_digest_kind(digest_));
  spec.digest = digest;
  spec.napi = napi_ == "threaded"  ? experiment::NapiChoice::threaded
              : napi_ == "softirq" ? experiment::NapiChoice::softirq
                                   : experiment::NapiChoice::automatic;
  WAGGLE_LET(settings, settings_.values());
  spec.channel.settings = std::move(settings);
  if (!file_.empty()) {
    spec.file = std::filesystem::absolute(file_);
  }
  spec.work = std::filesystem::absolute(spec.work);
  spec.command_line = global.command_line;
  WAGGLE_TRY(check_probing());
  return spec;
}

}  // namespace waggle::cli
