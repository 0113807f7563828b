// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/put_sender.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;
using protocol::FileType;

/// Sends files to a server.
class Put final : public Command {
 public:
  std::string_view name() const override { return "put"; }
  std::string_view summary() const override { return "send files to a server, verified"; }
  std::string_view examples() const override {
    return "  harness put big.iso 10.0.0.1:7411/\n"
           "  harness put --resume --durable big.iso 10.0.0.1:7411/images/latest.iso\n"
           "  harness put -r photos 10.0.0.1:7411/\n"
           "  tar c photos | harness put - 10.0.0.1:7411/photos.tar\n"
           "  WAGGLE_TOKEN=secret harness put a b [fe80::1%eth0]:7411/dir/\n";
  }

  void add_options(CLI::App& app) override {
    app.add_option("names", names_, "LOCAL (or - for stdin) … HOST:PORT/path")->option_text("");
    options_.add_to(app);
  }

  Result<> run(const Global& global) override {
    TransferTotal total{.start_ns = now_ns()};
    WAGGLE_TRY(parse_names());
    const AbortOnSignal interrupt;
    TransferWatch watch(global);
    auto client = options_.connect(remote_.endpoint, watch.progress(), interrupt);
    if (!client) {
      return std::unexpected(options_.explain(client.error(), interrupt, std::nullopt));
    }
    total.congestion = congestion_of(client->channel());
    const auto done = send_all(*client, interrupt, watch, total);
    interrupt.guard(nullptr);
    watch.stop();
    if (!done) {
      return std::unexpected(options_.explain(done.error(), interrupt, Kept::server));
    }
    const std::string from = locals_.size() == 1 ? locals_.front().native() : fmt::format("{} names", locals_.size());
    print_total(global, total, from, names_.back(), options_.digest);
    return all_of(total);
  }

 private:
  Result<> parse_names() {
    if (names_.size() < 2) {
      return fail(Fault::usage, "put needs a file and where it goes", "write: harness put FILE HOST:PORT/path");
    }
    WAGGLE_LET(remote, parse_remote(names_.back()));
    remote_ = std::move(remote);
    locals_.assign(names_.begin(), names_.end() - 1);
    const auto name_of = [](const fs::path& local) {
      return std::string(last_name(fs::absolute(local).lexically_normal().native()));
    };
    if (const auto twice = named_twice(locals_, name_of)) {
      return fail(Fault::usage, fmt::format("two of the names would both become '{}'", *twice),
                  "send them into different directories");
    }
    if (options_.recursive && std::ranges::any_of(locals_, is_stdin)) {
      return fail(Fault::usage, "--recursive says nothing to stdin",
                  "leave it out, or name a file (one called '-' is ./-)");
    }
    // Before anything is sent: a typing error in the last name must not leave half of the work done.
    for (const fs::path& local : locals_) {
      std::error_code error;
      if (!is_stdin(local) && !fs::exists(local, error)) {
        return fail(Fault::not_found, fmt::format("there is no file '{}'", local.native()), "check the name");
      }
    }
    return {};
  }

  Result<> send_all(protocol::Client& client, const AbortOnSignal& interrupt, TransferWatch& watch,
                    TransferTotal& total) {
    WAGGLE_LET(directory, is_directory(client));
    if (directory && std::ranges::any_of(locals_, is_stdin)) {
      return fail(Fault::usage, fmt::format("stdin has no name to have in the directory '{}'", remote_.path),
                  "name the file: HOST:PORT/dir/NAME");
    }
    if (!directory && locals_.size() > 1) {
      return fail(Fault::usage, fmt::format("several files cannot all become '{}'", remote_.path),
                  "name an existing directory of the server last");
    }
    Sender sender(client, options_, interrupt, watch, total);
    for (const fs::path& local : locals_) {
      const fs::path name = fs::absolute(local).lexically_normal();
      const std::string last(last_name(name.native()));
      auto sent = sender.send(local, directory ? join_path(remote_.path, last) : remote_.path);
      WAGGLE_TRY(locals_.size() == 1 ? sent : go_past(std::move(sent), watch, total));
    }
    return {};
  }

  Result<bool> is_directory(protocol::Client& client) const {
    const auto there = client.getattr(remote_.path);
    if (there) {
      return there->type == FileType::directory;
    }
    if (there.error().fault == Fault::not_found && !remote_.path.ends_with('/')) {
      return false;
    }
    return std::unexpected(there.error());
  }

  std::vector<std::string> names_;
  std::vector<fs::path> locals_;
  Remote remote_;
  TransferOptions options_;
};

const Registration put_registration{std::make_unique<Put>()};

}  // namespace
}  // namespace waggle::cli
