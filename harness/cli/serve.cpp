// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/cli/command.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/store/rooted_store.hpp"
#include "protocol/server.hpp"

namespace waggle::cli {
namespace {

/// A file server for one directory, until SIGINT or SIGTERM.
class Serve final : public Command {
 public:
  std::string_view name() const override { return "serve"; }
  std::string_view summary() const override { return "serve a directory to `get` and `put`"; }
  std::string_view examples() const override {
    return "  harness serve --root=/srv/files --read-only\n"
           "  harness serve --root=/srv/files --listen=0.0.0.0:7411 --token-file=secret\n"
           "  harness serve --root=. --listen=127.0.0.1:0 --json   # tells the port that it chose\n";
  }

  void add_options(CLI::App& app) override {
    const std::string group = "Service";
    app.add_option("--root", root_, "the directory; nothing outside it is ever served (.)")
        ->option_text("DIR")
        ->group(group);
    app.add_option("--listen", listen_, fmt::format("where (127.0.0.1:{}); port 0: any free one", kDefaultPort))
        ->option_text("HOST:PORT")
        ->group(group);
    app.add_flag("--read-only", options_.read_only, "refuse every change")->group(group);
    app.add_option("--most-clients", options_.most_clients, "connections at once (1024)")
        ->option_text("N")
        ->check(CLI::Range(1, 100000))
        ->group(group);
    add_seconds(app, "--sweep-after", sweep_seconds_, "age at which broken uploads are removed at the start (24h)")
        ->group(group);
    choice_.add_to(app);
    app.add_flag("--anybody", anybody_, "serve other machines without a token")->group("Security");
  }

  Result<> run(const Global& global) override {
    WAGGLE_LET(at, parse_endpoint(listen_, kDefaultPort));
    WAGGLE_LET(token, choice_.token());
    if (token.empty() && !anybody_ && !is_this_machine(at.host)) {
      return fail(Fault::usage, "other machines could read and change files without a token",
                  "give --token-file (or WAGGLE_TOKEN), or say --anybody");
    }
    options_.token = token;
    WAGGLE_LET(store, store::RootedStore::open(root_));
    WAGGLE_LET(datapath, choice_.datapath());
    WAGGLE_LET(channel, choice_.channel());
    WAGGLE_LET(memory, choice_.memory(true));
    WAGGLE_LET(listener, datapath->listen(at, channel));
    // Before any thread starts: all of them leave the signals to wait() below.
    const SignalsBlocked signals;
    const std::jthread sweeper([&](const std::stop_token& stop) {
      const std::chrono::seconds age(static_cast<std::int64_t>(sweep_seconds_));
      if (const auto swept = store.sweep(age, stop); !swept) {
        report(global, "broken uploads are not removed", swept.error());
      }
    });
    protocol::Server server(
        std::move(listener), [&store] { return store.connect(); }, options_,
        [this, &global](const Error& error) { report(global, "a connection ended early", error); });
    announce(global, server.endpoint());
    signals.wait();
    server.stop();
    return {};
  }

 private:
  void announce(const Global& global, const Endpoint& at) const {
    const std::string directory = std::filesystem::absolute(root_).lexically_normal().native();
    if (global.json) {
      const nlohmann::json ready = {{"event", "ready"},
                                    {"host", at.host},
                                    {"port", at.port},
                                    {"root", directory},
                                    {"datapath", choice_.datapath_name()},
                                    {"read_only", options_.read_only},
                                    {"token", !options_.token.empty()}};
      fmt::print("{}\n", ready.dump());
    } else {
      fmt::print("serving {} on {} by {}{}{}\n", directory, endpoint_text(at), choice_.datapath_name(),
                 options_.read_only ? ", read-only" : "", options_.token.empty() ? "" : ", with a token");
    }
    std::fflush(stdout);
  }

  /// From any thread.
  void report(const Global& global, std::string_view what, const Error& error) {
    if (!global.quiet) {
      const std::lock_guard lock(mutex_);
      fmt::print(stderr, "{}: {}\n", what, error.text());
    }
  }

  std::filesystem::path root_ = ".";
  std::string listen_ = fmt::format("127.0.0.1:{}", kDefaultPort);
  bool anybody_ = false;
  double sweep_seconds_ = 24.0 * 3600;
  protocol::ServerOptions options_;
  ChannelChoice choice_;
  std::mutex mutex_;
};

const Registration registration{std::make_unique<Serve>()};

}  // namespace
}  // namespace waggle::cli
