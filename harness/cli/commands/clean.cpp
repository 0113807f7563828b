// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "harness/cli/command.hpp"
#include "harness/record/json_text.hpp"
#include "harness/store/rooted_store.hpp"
#include "harness/topology/work_directory.hpp"

namespace waggle::cli {
namespace {

/// Removes what killed experiments and transfers have left. Namespaces, mounts and probes go away with their processes;
/// only files can stay.
class Clean final : public Command {
 public:
  std::string_view name() const override { return "clean"; }
  std::string_view summary() const override { return "remove what killed experiments and transfers have left"; }
  std::string_view examples() const override {
    return "  harness clean\n"
           "  harness clean --work=/mnt/fast\n"
           "  harness clean --files=/srv/files --files=. --older=24h   # what killed get, put and serve have left "
           "there\n";
  }
  void add_options(CLI::App& app) override {
    app.add_option("--work", work_, "where experiments made their files (/var/tmp)")->option_text("DIR");
    app.add_option("--files", files_, "below here, remove this user's unfinished files that nobody writes")
        ->option_text("DIR …");
    older_ = add_seconds_or_none(app, "--older", older_seconds_,
                                 "of those, the ones that were last written so long ago (0)");
  }
  Result<> run(const Global& global) override {
    if (older_->count() > 0 && files_.empty()) {
      return fail(Fault::usage, "--older says nothing without --files", "add --files=DIR, or leave it out");
    }
    std::size_t unfinished = 0;
    for (const auto& directory : files_) {
      WAGGLE_LET(store, store::RootedStore::open(directory));
      WAGGLE_LET(swept, store.sweep(std::chrono::seconds(static_cast<std::int64_t>(older_seconds_))));
      unfinished += swept;
    }
    WAGGLE_LET(removed, topology::WorkDirectory::sweep(work_));
    if (global.json) {
      nlohmann::json paths = nlohmann::json::array();
      for (const auto& path : removed) {
        paths.push_back(path.string());
      }
      fmt::print("{}\n", record::json_text({{"removed", std::move(paths)}, {"unfinished_files", unfinished}}, 2));
      return {};
    }
    for (const auto& path : removed) {
      fmt::print("removed {}\n", printable(path.native()));
    }
    if (unfinished != 0) {
      fmt::print("removed {} unfinished files\n", unfinished);
    }
    if (removed.empty() && unfinished == 0 && !global.quiet) {
      fmt::print("nothing was left in {}\n", printable(fmt::format("{}", fmt::join(looked_at(), ", "))));
    }
    return {};
  }

 private:
  std::vector<std::string> looked_at() const {
    std::vector<std::string> places{work_.string()};
    places.insert(places.end(), files_.begin(), files_.end());
    return places;
  }

  std::filesystem::path work_ = "/var/tmp";
  std::vector<std::string> files_;
  double older_seconds_ = 0;
  CLI::Option* older_ = nullptr;
};

const Registration clean_registration{std::make_unique<Clean>()};

}  // namespace
}  // namespace waggle::cli
