// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <filesystem>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/put_source.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;
using protocol::FileType;

/// Files up to this size are sent many at a time, each without waiting for the one before.
constexpr std::uint64_t kSmall = std::uint64_t{64} * 1024;
/// Bytes per WRITE: few enough that progress can be seen.
constexpr std::uint64_t kExtent = std::uint64_t{64} * 1024 * 1024;

/// A file called so is ./-.
bool is_stdin(const fs::path& local) {
  return local == "-";
}

/// One `put` over one connection.
class Sender {
 public:
  Sender(protocol::Client& client, const TransferOptions& options, const Interrupt& interrupt, TransferWatch& watch,
         TransferTotal& total)
      : client_(client), options_(options), interrupt_(interrupt), watch_(watch), total_(total) {}

  /// A file, stdin or, recursively, a directory of this machine.
  Result<> send(const fs::path& local, const std::string& path) {
    std::error_code error;
    const bool from_stdin = is_stdin(local);
    if (from_stdin || !fs::is_directory(local, error)) {
      WAGGLE_LET(source, from_stdin ? stdin_source(waits_) : open_source(local, waits_));
      watch_.expect(source.size);
      return send_file(source, path);
    }
    if (!options_.recursive) {
      return fail(Fault::usage, fmt::format("'{}' is a directory", local.native()), "add --recursive");
    }
    return send_tree(local, path);
  }

 private:
  struct Wanted {
    fs::path local;
    std::string path;
  };

  Result<> go_on() const { return interrupt_.asked() ? Result<>(fail(Fault::cancelled, "interrupted")) : Result<>(); }

  Result<> send_file(const Source& source, const std::string& path) {
    watch_.doing(path);
    WAGGLE_TRY(client_.upload(path, source.file.get(), source.size,
                              {.mode = source.mode,
                               .durable = options_.durable,
                               .resume = options_.resume,
                               .extent = kExtent,
                               .still_right = [&source] { return source.unchanged(); }}));
    ++total_.files;
    total_.bytes += source.size;
    return {};
  }

  Result<> send_tree(const fs::path& top, const std::string& path) {
    std::vector<Wanted> small;
    std::vector<Wanted> large;
    WAGGLE_TRY(make_directory(top, path));
    WAGGLE_TRY(walk(top, path, small, large));
    WAGGLE_TRY(send_small(small));
    for (const Wanted& wanted : large) {
      WAGGLE_TRY(go_on());
      WAGGLE_LET(source, open_source(wanted.local, waits_));
      WAGGLE_TRY(send_file(source, wanted.path));
    }
    return {};
  }

  /// Makes the directories on the server and collects the files. Links are not followed.
  Result<> walk(const fs::path& top, const std::string& path, std::vector<Wanted>& small, std::vector<Wanted>& large) {
    std::error_code error;
    fs::recursive_directory_iterator at(top, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      WAGGLE_TRY(go_on());
      const fs::path& local = at->path();
      std::string name = join_path(path, local.lexically_relative(top).generic_string());
      const bool link = at->is_symlink(error);
      if (!link && at->is_directory(error)) {
        WAGGLE_TRY(make_directory(local, name));
      } else if (!link && at->is_regular_file(error)) {
        const std::uint64_t size = at->file_size(error);
        watch_.expect(size);
        (size <= kSmall ? small : large).push_back({local, std::move(name)});
      } else {
        ++total_.left_out;
      }
    }
    if (error) {
      return fail_errno(fmt::format("cannot read the directory '{}'", top.native()), error.value());
    }
    return {};
  }

  Result<> make_directory(const fs::path& local, const std::string& path) {
    if (path.empty()) {
      return {};
    }
    struct stat status{};
    const std::uint32_t mode = ::stat(local.c_str(), &status) == 0 ? status.st_mode & 0777U : 0755U;
    const auto made = client_.mkdir(path, mode);
    return !made && made.error().fault == Fault::exists ? Result<>() : made;
  }

  Result<> send_small(const std::vector<Wanted>& wanted) {
    std::deque<Source> under_way;  // they are done in the order in which they were sent
    return client_.store_many(
        wanted.size(),
        [&](std::size_t index) -> Result<protocol::Client::Small> {
          WAGGLE_LET(source, open_source(wanted[index].local, waits_));
          watch_.doing(wanted[index].path);
          UniqueFd file(::fcntl(source.file.get(), F_DUPFD_CLOEXEC, 0));
          if (!file) {
            return fail_errno(fmt::format("cannot read '{}'", wanted[index].local.native()));
          }
          protocol::Client::Small small{wanted[index].path, std::move(file), source.size, source.mode};
          under_way.push_back(std::move(source));
          return small;
        },
        [&](std::size_t index, std::uint64_t) -> Result<> {
          const Source source = std::move(under_way.front());
          under_way.pop_front();
          if (auto right = source.unchanged(); !right) {
            right.error().what = fmt::format("'{}': {}", wanted[index].path, right.error().what);
            return right;
          }
          ++total_.files;
          total_.bytes += source.size;
          return {};
        });
  }

  protocol::Client& client_;
  const TransferOptions& options_;
  const Interrupt& interrupt_;
  TransferWatch& watch_;
  TransferTotal& total_;
  const GoOn waits_ = [this] { return go_on(); };
};

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
    const Interrupt interrupt;
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
      return std::unexpected(options_.explain(done.error(), interrupt, options_.resume));
    }
    const std::string from = locals_.size() == 1 ? locals_.front().native() : fmt::format("{} names", locals_.size());
    print_total(global, total, from, names_.back(), options_.digest);
    return {};
  }

 private:
  Result<> parse_names() {
    if (names_.size() < 2) {
      return fail(Fault::usage, "put needs a file and where it goes", "write: harness put FILE HOST:PORT/path");
    }
    WAGGLE_LET(remote, parse_remote(names_.back()));
    remote_ = std::move(remote);
    locals_.assign(names_.begin(), names_.end() - 1);
    // Before anything is sent: a typing error in the last name must not leave half of the work done.
    for (const fs::path& local : locals_) {
      std::error_code error;
      if (!is_stdin(local) && !fs::exists(local, error)) {
        return fail(Fault::not_found, fmt::format("there is no file '{}'", local.native()), "check the name");
      }
    }
    return {};
  }

  Result<> send_all(protocol::Client& client, const Interrupt& interrupt, TransferWatch& watch, TransferTotal& total) {
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
      WAGGLE_TRY(sender.send(local, directory ? join_path(remote_.path, last) : remote_.path));
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

const Registration registration{std::make_unique<Put>()};

}  // namespace
}  // namespace waggle::cli
