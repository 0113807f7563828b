// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/clock.hpp"
#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/get_fetcher.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;
/// Fetches files of a server.
class Get final : public Command {
 public:
  std::string_view name() const override { return "get"; }
  std::string_view summary() const override { return "fetch files from a server, verified"; }
  std::string_view examples() const override {
    return "  harness get 10.0.0.1:7411/big.iso\n"
           "  harness get --resume 10.0.0.1:7411/big.iso /data/\n"
           "  harness get -r 10.0.0.1:7411/photos .\n"
           "  harness get 10.0.0.1:7411/logs.tar -   # to stdout, verified piece by piece: the exit code tells the "
           "rest\n"
           "  WAGGLE_TOKEN=secret harness get [fe80::1%eth0]:7411/a [fe80::1%eth0]:7411/b /tmp/\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("names", names_, "HOST:PORT/path … [LOCAL, or - for stdout]")->option_text("");
    options_.add_to(app);
    app.add_flag("--sparse", options_.sparse, "blocks of zeros are not fetched and become holes")->group("Transfer");
  }

  Result<> run(const Global& global) override {
    TransferTotal total{.start_ns = now_ns()};
    WAGGLE_TRY(parse_names());
    const AbortOnSignal interrupt;
    TransferWatch watch(global);
    auto client = options_.connect(remotes_.front().endpoint, watch.progress(), interrupt);
    if (!client) {
      return std::unexpected(options_.explain(client.error(), interrupt, std::nullopt));
    }
    total.congestion = congestion_of(client->channel());
    Fetcher fetcher(*client, options_, interrupt, watch, total);
    Result<> done;
    const fs::path first = target_of(remotes_.front());
    for (std::size_t i = 0; i < remotes_.size() && done; ++i) {
      const std::string& path = remotes_[i].path;
      done = to_stdout() ? fetcher.stream(path) : fetcher.fetch(path, i == 0 ? first : target_of(remotes_[i]));
      if (remotes_.size() > 1 && !to_stdout()) {
        done = go_past(std::move(done), watch, total);
      }
    }
    interrupt.guard(nullptr);
    watch.stop();
    if (!done) {
      return std::unexpected(options_.explain(done.error(), interrupt,
                                              to_stdout()      ? std::nullopt
                                              : fetcher.kept() ? std::optional(Kept::here)
                                                               : std::optional(Kept::nowhere)));
    }
    const std::string from = remotes_.size() == 1 ? names_.front() : endpoint_text(remotes_.front().endpoint);
    print_total(global, total, from, (remotes_.size() == 1 ? first : local_).native(), options_.digest,
                to_stdout() ? stderr : stdout);
    return all_of(total);
  }

 private:
  Result<> parse_names() {
    if (names_.empty()) {
      return fail(Fault::usage, "get needs the name of a file", "write it like 10.0.0.1:7411/dir/file");
    }
    const bool local_given = names_.size() > 1 && !looks_remote(names_.back());
    local_ = local_given ? names_.back() : ".";
    for (std::size_t i = 0; i < names_.size() - (local_given ? 1 : 0); ++i) {
      WAGGLE_LET(remote, parse_remote(names_[i]));
      remotes_.push_back(std::move(remote));
      if (endpoint_text(remotes_.back().endpoint) != endpoint_text(remotes_.front().endpoint)) {
        return fail(Fault::usage, "one get fetches from one server", "call it once per server");
      }
    }
    if (to_stdout()) {
      return check_stdout();
    }
    if (const auto twice = named_twice(remotes_, [](const Remote& remote) { return last_name(remote.path); })) {
      return fail(Fault::usage, fmt::format("two of the names would both become '{}'", *twice),
                  "fetch them into different directories");
    }
    if (remotes_.size() > 1 && !fs::is_directory(local_)) {
      return fail(Fault::usage, fmt::format("several files cannot all become '{}'", local_.native()),
                  "name an existing directory last");
    }
    return {};
  }

  bool to_stdout() const { return local_ == "-"; }

  Result<> check_stdout() const {
    const std::string_view idle = options_.resume      ? "--resume"
                                  : options_.durable   ? "--durable"
                                  : options_.recursive ? "--recursive"
                                  : options_.keep_mode ? "--keep-mode"
                                  : options_.sparse    ? "--sparse"
                                                       : "";
    return idle.empty() ? Result<>()
                        : fail(Fault::usage, fmt::format("{} says nothing to stdout", idle),
                               "leave it out, or name a file (one called '-' is ./-)");
  }

  fs::path target_of(const Remote& remote) const {
    std::error_code ignored;
    if (to_stdout()) {
      return local_;
    }
    const std::string_view name = last_name(remote.path);
    return fs::is_directory(local_, ignored) && !name.empty() ? local_ / name : local_;
  }

  std::vector<std::string> names_;
  std::vector<Remote> remotes_;
  fs::path local_;
  TransferOptions options_;
};

const Registration get_registration{std::make_unique<Get>()};

}  // namespace
}  // namespace waggle::cli
