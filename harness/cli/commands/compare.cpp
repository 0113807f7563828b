// SPDX-License-Identifier: BSD-2-Clause
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "harness/cli/command.hpp"
#include "harness/cli/experiment_command.hpp"
#include "harness/cli/experiment_options.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/report/table.hpp"

namespace waggle::cli {
namespace {

/// Several pairs with the same work, their runs interleaved in random order; a table per link.
class Compare final : public Command {
 public:
  std::string_view name() const override { return "compare"; }
  std::string_view summary() const override { return "measure several datapaths side by side"; }
  std::string_view examples() const override {
    return "  harness compare --datapaths=all --workload=download --size=1GiB\n"
           "  harness compare --datapaths=sendfile,splice+splice,read_write --sink=discard\n"
           "  harness compare --datapaths=all-pairs --runs=3 --output=pairs.json\n"
           "  harness compare --datapaths=all --workload=rr --budget=5s\n";
  }
  void add_options(CLI::App& app) override {
    const std::string group = "Datapaths";
    app.add_option("--datapaths", datapaths_, "all, all-pairs, or a list a,b,c+d of SENDER[+RECEIVER] (all)")
        ->option_text("LIST")
        ->group(group);
    app.add_option("--receiver", receiver_,
                   "what receives where a list does not say (read_write, or the datapath itself)")
        ->option_text("NAME")
        ->group(group);
    options_.add_to(app);
  }
  Result<> run(const Global& global) override {
    WAGGLE_LET(spec, options_.spec(global));
    if (options_.like() && datapaths_.empty()) {
      if (!receiver_.empty()) {
        return fail(Fault::usage, "--receiver says nothing to the pairs of a record", "name them with --datapaths");
      }
      WAGGLE_TRY(options_.use(spec, spec.pairs));
      return run_and_print(std::move(spec), global, report::compare_table);
    }
    const std::string datapaths = datapaths_.empty() ? "all" : datapaths_;
    WAGGLE_LET(pairs, experiment::parse_pairs(datapaths, receiver_, experiment::payload_sink(spec)));
    WAGGLE_TRY(experiment::check_named(spec, datapaths, receiver_));
    WAGGLE_TRY(options_.use(spec, std::move(pairs)));
    return run_and_print(std::move(spec), global, report::compare_table);
  }

 private:
  std::string datapaths_;
  std::string receiver_;
  ExperimentOptions options_;
};

const Registration compare_registration{std::make_unique<Compare>()};

}  // namespace
}  // namespace waggle::cli
