// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "harness/cli/command.hpp"
#include "harness/experiment/json_text.hpp"
#include "harness/topology/work_directory.hpp"

namespace waggle::cli {
namespace {

/// Removes what killed experiments have left. Namespaces, mounts and probes go away with their processes; only files
/// can stay.
class Clean final : public Command {
 public:
  std::string_view name() const override { return "clean"; }
  std::string_view summary() const override { return "remove what killed experiments have left"; }
  std::string_view examples() const override {
    return "  harness clean\n"
           "  harness clean --work=/mnt/fast\n";
  }
  void add_options(CLI::App& app) override {
    app.add_option("--work", work_, "where experiments made their files (/var/tmp)")->option_text("DIR");
  }
  Result<> run(const Global& global) override {
    WAGGLE_LET(removed, topology::WorkDirectory::sweep(work_));
    if (global.json) {
      nlohmann::json paths = nlohmann::json::array();
      for (const auto& path : removed) {
        paths.push_back(path.string());
      }
      fmt::print("{}\n", experiment::json_text({{"removed", std::move(paths)}}, 2));
      return {};
    }
    for (const auto& path : removed) {
      fmt::print("removed {}\n", printable(path.native()));
    }
    if (removed.empty() && !global.quiet) {
      fmt::print("nothing was left in {}\n", printable(work_.native()));
    }
    return {};
  }

 private:
  std::filesystem::path work_ = "/var/tmp";
};

const Registration registration{std::make_unique<Clean>()};

}  // namespace
}  // namespace waggle::cli
