// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/text.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/complaints.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/signals_blocked.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/record/json_text.hpp"
#include "harness/store/rooted_store.hpp"
#include "harness/topology/limits.hpp"
#include "protocol/handles.hpp"
#include "protocol/server.hpp"

namespace waggle::cli {
namespace {

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

/// What a server needs before anybody has come: descriptors of its own and some for files, and its threads.
constexpr topology::Needs kLeast{.open_files = 64, .tasks = 16};
/// Of each 16 descriptors so many are for connections: see share_descriptors().
constexpr std::size_t kForConnections = 5;

/// Buffers of connections go back to the system when they end. Without this the first that is freed moves them from
/// mappings of their own into the heaps of threads, which keep what they once had (man 3 mallopt: M_MMAP_THRESHOLD).
void keep_no_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

/// Between two looks for broken uploads that are removed at `age`.
std::chrono::seconds sweep_interval(std::chrono::seconds age) {
  return std::clamp<std::chrono::seconds>(age, std::chrono::seconds(5), std::chrono::hours(1));
}

/// A file server for one directory, until SIGINT, SIGTERM or SIGHUP, or until nobody can connect any more.
class Serve final : public Command {
 public:
  std::string_view name() const override { return "serve"; }
  std::string_view summary() const override { return "serve a directory to `get` and `put`"; }
  std::string_view examples() const override {
    return "  harness serve --root=/srv/files --read-only\n"
           "  harness serve --root=/srv/files --listen=0.0.0.0:7411 --token-file=secret\n"
           "  harness serve --root=. --listen=[fe80::1%eth0]:7411 --token-file=secret   # a link's own address: `ip -6 "
           "address`\n"
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
    most_clients_ = app.add_option("--most-clients", options_.most_clients, "connections at once (1024)")
                        ->option_text("N")
                        ->check(CLI::Range(1, 100000))
                        ->group(group);
    app.add_option("--most-strangers", options_.most_strangers,
                   "connections at once that have proved nothing (1024; an eighth of the limit of open files at most)")
        ->option_text("N")
        ->check(CLI::Range(1, 100000))
        ->group("Security");
    add_seconds(app, "--handshake-timeout", patience_seconds_, "time for a connection to prove itself (10s)")
        ->group("Security");
    add_seconds_or_none(
        app, "--sweep-after", sweep_seconds_,
        "age at which broken uploads are removed, at the start and every hour, or as often as that age (24h)")
        ->group(group);
    choice_.add_to(app);
    app.add_flag("--anybody", anybody_, "serve other machines without a token")->group("Security");
  }

  Result<> run(const Global& global) override {
    WAGGLE_LET(at, parse_endpoint(listen_, kDefaultPort));
    WAGGLE_LET(token, choice_.token());
    options_.token = token;
    options_.patience = nanoseconds(patience_seconds_);
    WAGGLE_TRY(check_limits());
    share_descriptors(std::min<std::size_t>(topology::open_files_limit(), std::size_t{1} << 20U));
    keep_no_memory();
    WAGGLE_LET(store, store::RootedStore::open(root_));
    WAGGLE_LET(datapath, choice_.datapath());
    WAGGLE_LET(channel, choice_.channel());
    WAGGLE_LET(memory, choice_.memory(true));
    // Before any thread starts, those of listeners too: all of them leave the signals to one.
    const SignalsBlocked signals;
    std::stop_source over;
    const std::jthread waiter([&](const std::stop_token& ended) {
      signals.wait(ended);
      over.request_stop();
    });
    channel.cancel = over.get_token();
    WAGGLE_LET(listener, datapath->listen(at, channel));
    // Who can reach it is decided by the address that it got, not by the name that was asked for.
    const bool for_others = listener->past_kernel() || !is_this_machine(listener->endpoint().host);
    if (token.empty() && !anybody_ && for_others) {
      return fail(Fault::usage, "other machines could read and change files without a token",
                  "give --token-file (or WAGGLE_TOKEN), or say --anybody");
    }
    Complaints complaints(STDERR_FILENO);
    const std::jthread sweeper([&](const std::stop_token& stop) {
      const std::chrono::seconds age(static_cast<std::int64_t>(sweep_seconds_));
      std::mutex alone;
      std::condition_variable_any woken;
      std::unique_lock lock(alone);
      if (options_.read_only) {
        return;  // every change is refused, ours too
      }
      do {
        if (const auto swept = store.sweep(age, stop); !swept) {
          report(global, complaints, "broken uploads are not removed", swept.error());
        }
      } while (!woken.wait_for(lock, stop, sweep_interval(age), [&] { return stop.stop_requested(); }));
    });
    Result<> failure;  // until the server has stopped only the thread that accepts touches it
    protocol::Server server(
        std::move(listener), [&store] { return store.connect(); }, options_,
        [&](const Error& error) { report(global, complaints, "a connection ended early", error, true); },
        [&](Error error) {
          error.what = "nobody can connect any more: " + error.what;
          failure = std::unexpected(std::move(error));
          over.request_stop();
        });
    announce(global, server.endpoint());
    std::mutex idle;
    std::unique_lock lock(idle);
    std::condition_variable_any().wait(lock, over.get_token(), [] { return false; });
    server.stop();
    return failure;
  }

 private:
  /// The number of clients that somebody names is a promise; what is said for none is as many as there can be.
  Result<> check_limits() const {
    WAGGLE_TRY(topology::check_limits(kLeast, "the server and its files"));
    WAGGLE_LET(datapath, choice_.datapath());
    if (most_clients_->count() == 0 || datapath->carrier() == Carrier::packet) {
      return {};  // connections over packets have no descriptors
    }
    return topology::check_limits(
        {.open_files = options_.most_clients * 16 / kForConnections + 1, .tasks = options_.most_clients + kLeast.tasks},
        fmt::format("--most-clients={}: connections and their files", options_.most_clients));
  }

  /// Half of them are for open files, a quarter of those in reserve, an eighth at most for strangers and half as many
  /// for those who were turned away; the rest is for connections and for what a request opens for a moment.
  void share_descriptors(std::size_t limit) {
    options_.files = std::make_shared<protocol::FileBudget>(limit * 3 / 8, limit / 8);
    options_.most_strangers = std::min(options_.most_strangers, std::max<std::size_t>(1, limit / 8));
  }

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
      fmt::print("{}\n", record::json_text(ready));
    } else {
      fmt::print("serving {} on {} by {}{}{}\n", printable(directory), printable(endpoint_text(at)),
                 choice_.datapath_name(), options_.read_only ? ", read-only" : "",
                 options_.token.empty() ? "" : ", with a token");
    }
    std::fflush(stdout);
  }

  /// From any thread, none of which waits. What strangers can cause at will is said some times and then counted.
  void report(const Global& global, Complaints& complaints, std::string_view what, const Error& error,
              bool limited = false) {
    if (global.quiet) {
      return;
    }
    const std::lock_guard lock(mutex_);
    const auto passed = limited ? limit_.pass(std::chrono::steady_clock::now()) : RateLimit::Passed{true, 0};
    if (passed.unsaid > 0) {
      complaints.say(fmt::format("{}: {} more in the last {} s", what, passed.unsaid, RateLimit::kWindow.count()));
    }
    if (passed.say) {
      complaints.say(fmt::format("{}: {}", what, error.text()));
    }
  }

  std::filesystem::path root_ = ".";
  std::string listen_ = fmt::format("127.0.0.1:{}", kDefaultPort);
  bool anybody_ = false;
  double sweep_seconds_ = 24.0 * 3600;
  double patience_seconds_ = 10;
  protocol::ServerOptions options_;
  CLI::Option* most_clients_ = nullptr;
  ChannelChoice choice_;
  std::mutex mutex_;
  RateLimit limit_;  ///< under the mutex
};

const Registration serve_registration{std::make_unique<Serve>()};

}  // namespace
}  // namespace waggle::cli
