// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "harness/cli/command.hpp"
#include "harness/cli/experiment_command.hpp"
#include "harness/cli/experiment_options.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/report/table.hpp"

namespace waggle::cli {
namespace {

/// One pair of datapaths, measured: set up, warm-up, repetitions, verification, record, and nothing left behind.
class Run final : public Command {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view summary() const override { return "measure one datapath"; }
  std::string_view examples() const override {
    return "  harness run --datapath=sendfile\n"
           "  harness run --sender=zerocopy --receiver=splice --size=4GiB --runs=10\n"
           "  harness run --datapath=mmap --file=/srv/film.mkv --sink=file --cache=cold\n"
           "  harness run --datapath=read_write --workload=rr --wait=spin --request=64 --response=4KiB\n"
           "  harness run --datapath=dpdk --dpdk-wait=interrupt --workload=idle --seconds=5\n"
           "  harness run --datapath=afxdp+udp              # an afxdp server, a udp client\n"
           "  harness run --like=results/20261121-024500-download-sendfile.json --clients=4   # all else as it was\n"
           "  harness run --datapath=uring --workload=small-files --count=10000 --json | jq "
           "'.contestants[0].summary'\n";
  }
  void add_options(CLI::App& app) override {
    const std::string group = "Datapath";
    app.add_option("--datapath", datapath_, "what sends, or SENDER+RECEIVER (sendfile)")
        ->option_text("NAME")
        ->group(group);
    app.add_option("--sender", sender_, "what sends; the same as --datapath")->option_text("NAME")->group(group);
    app.add_option("--receiver", receiver_, "what receives (read_write; of a packet datapath: itself)")
        ->option_text("NAME")
        ->group(group);
    options_.add_to(app);
  }
  Result<> run(const Global& global) override {
    if (!datapath_.empty() && !sender_.empty()) {
      return fail(Fault::usage, "--datapath and --sender say the same", "leave one of them out");
    }
    const std::string& sender = datapath_.empty() ? sender_ : datapath_;
    if (sender.find('+') != std::string::npos && !receiver_.empty()) {
      return fail(Fault::usage, "the receiver is named twice", "leave out --receiver");
    }
    WAGGLE_LET(spec, options_.spec(global));
    if (options_.like() && sender.empty() && spec.pairs.size() != 1) {
      return fail(Fault::usage, fmt::format("the record compares {} pairs", spec.pairs.size()),
                  "use harness compare --like, or name one with --datapath");
    }
    const experiment::Pair usual =
        options_.like() && sender.empty() ? spec.pairs.front() : experiment::Pair{experiment::kDefaultDatapath};
    WAGGLE_LET(pair, experiment::parse_pair(sender.empty() ? usual.sender : sender,
                                            sender.empty() && receiver_.empty() ? usual.receiver : receiver_,
                                            experiment::payload_sink(spec)));
    WAGGLE_TRY(experiment::check_named(spec, pair));
    WAGGLE_TRY(options_.use(spec, {std::move(pair)}));
    return run_and_print(std::move(spec), global, report::run_table);
  }

 private:
  std::string datapath_;
  std::string sender_;
  std::string receiver_;
  ExperimentOptions options_;
};

const Registration run_registration{std::make_unique<Run>()};

}  // namespace
}  // namespace waggle::cli
