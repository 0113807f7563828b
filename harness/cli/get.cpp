// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/get_stream.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/remote.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"
#include "harness/store/landing.hpp"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;
using protocol::FileType;

/// Modes that files and directories get here.
class LocalMode {
 public:
  /// `exact`: the server's, whatever the umask.
  explicit LocalMode(bool exact) : exact_(exact), mask_(exact ? 0 : ::umask(0)) {
    if (!exact_) {
      ::umask(mask_);
    }
  }
  std::uint32_t of(std::uint32_t stated) const { return stated & 0777U & ~mask_; }
  bool exact() const { return exact_; }

 private:
  bool exact_;
  mode_t mask_;
};

/// One `get` over one connection.
class Fetcher {
 public:
  Fetcher(protocol::Client& client, const TransferOptions& options, const Interrupt& interrupt, TransferWatch& watch,
          TransferTotal& total)
      : client_(client), options_(options), interrupt_(interrupt), watch_(watch), total_(total) {}

  /// A file or, recursively, a directory of the server.
  Result<> fetch(const std::string& path, const fs::path& target) {
    WAGGLE_LET(file, client_.lookup(path));
    if (file.attributes.type != FileType::directory) {
      watch_.expect(file.attributes.size);
      return fetch_file(path, file, target);
    }
    WAGGLE_TRY(client_.release(file));
    if (!options_.recursive) {
      return fail(Fault::usage, fmt::format("'{}' is a directory", path), "add --recursive");
    }
    return fetch_tree(path, target, file.attributes.mode);
  }
  /// A file, to stdout.
  Result<> stream(const std::string& path) {
    WAGGLE_LET(file, client_.lookup(path));
    if (file.attributes.type == FileType::directory) {
      return fail(Fault::usage, fmt::format("'{}' is a directory, which stdout cannot take", path), "name a file");
    }
    watch_.expect(file.attributes.size);
    watch_.doing(path);
    if (auto sent = stream_file(client_, file, STDOUT_FILENO, [this] { return go_on(); }); !sent) {
      sent.error().what = fmt::format("'{}': {}", path, sent.error().what);
      return sent;
    }
    WAGGLE_TRY(client_.release(file));
    ++total_.files;
    total_.bytes += file.attributes.size;
    return {};
  }
  /// What has arrived of the file that failed can be continued.
  bool kept() const { return kept_; }

 private:
  struct Wanted {
    std::string path;
    fs::path target;
    std::uint64_t size;
  };
  struct Directory {
    std::string path;
    fs::path target;
    std::uint32_t mode;
  };

  Result<> go_on() const { return interrupt_.asked() ? Result<>(fail(Fault::cancelled, "interrupted")) : Result<>(); }

  Result<> fetch_file(const std::string& path, const protocol::Client::File& file, const fs::path& target) {
    watch_.doing(path);
    const auto& attributes = file.attributes;
    WAGGLE_LET(landing, store::Landing::open(target, attributes.size, mode_.of(attributes.mode), options_.resume));
    const auto filled = fill(file, landing);
    if (!filled) {
      kept_ = options_.resume && landing.keep();
      Error error = filled.error();
      if (error.fault == Fault::changed) {
        error.what = fmt::format("'{}': {}", path, error.what);
      }
      return std::unexpected(std::move(error));
    }
    WAGGLE_TRY(client_.release(file));
    WAGGLE_TRY(landing.commit(options_.durable));
    ++total_.files;
    total_.bytes += attributes.size;
    return {};
  }

  Result<> fill(const protocol::Client::File& file, store::Landing& landing) {
    const std::uint64_t size = file.attributes.size;
    if (!landing.resumed()) {
      return read(file, {0, size}, landing);
    }
    WAGGLE_LET(kind, parse_digest_kind(options_.digest));
    for (std::uint64_t offset = 0; offset < size; offset += kMaxExtent) {
      WAGGLE_TRY(go_on());
      const std::uint64_t length = std::min(kMaxExtent, size - offset);
      WAGGLE_LET(blocks, client_.digests(file, offset, length));
      WAGGLE_LET(gaps, landing.missing(offset, length, blocks, kind));
      std::uint64_t there = length;
      for (const auto& gap : gaps) {
        there -= gap.length;
      }
      watch_.skip(there);
      total_.unchanged += there;
      for (const auto& gap : gaps) {
        WAGGLE_TRY(read(file, gap, landing));
      }
    }
    // What was there already was not read: a read of nothing tells whether the file is still the same.
    WAGGLE_LET(end, client_.read(file, size, 1, {}));
    return check(file, end, 0);
  }

  Result<> read(const protocol::Client::File& file, const store::Landing::Gap& gap, const store::Landing& landing) {
    if (gap.length == 0) {
      return {};
    }
    WAGGLE_LET(got, client_.read(file, gap.offset, gap.length, {Incoming::Sink::file, landing.file()}));
    return check(file, got, gap.length);
  }

  static Result<> check(const protocol::Client::File& file, const protocol::Transferred& got, std::uint64_t length) {
    return got.bytes == length && got.version == file.attributes.version
               ? Result<>()
               : fail(Fault::changed, "the file changed while it was sent", "fetch it again");
  }

  Result<> fetch_tree(const std::string& top, const fs::path& target, std::uint32_t mode) {
    std::vector<Wanted> small;
    std::vector<Wanted> large;
    WAGGLE_TRY(list_tree({top, target, mode}, small, large));
    WAGGLE_TRY(fetch_small(small));
    for (const Wanted& wanted : large) {
      WAGGLE_TRY(go_on());
      WAGGLE_LET(file, client_.lookup(wanted.path));
      WAGGLE_TRY(fetch_file(wanted.path, file, wanted.target));
    }
    return {};
  }

  /// As mkdir(2) would by the server's mode, except that its owner can always work in it.
  Result<> make_directory(const Directory& directory) const {
    std::error_code error;
    fs::create_directories((directory.target / "").parent_path().parent_path(), error);
    const bool made = ::mkdir(directory.target.c_str(), mode_.of(directory.mode) | 0700U) == 0;
    const int why = errno;
    if (made && mode_.exact() && ::chmod(directory.target.c_str(), mode_.of(directory.mode) | 0700U) != 0) {
      return fail_errno(fmt::format("cannot set the mode of '{}'", directory.target.native()));
    }
    if (!made && !fs::is_directory(directory.target, error)) {
      return fail_errno(fmt::format("cannot create the directory '{}'", directory.target.native()), why);
    }
    return {};
  }

  /// Makes the directories and collects the files.
  Result<> list_tree(Directory top, std::vector<Wanted>& small, std::vector<Wanted>& large) {
    std::vector<Directory> directories{std::move(top)};
    while (!directories.empty()) {
      WAGGLE_TRY(go_on());
      const Directory directory = std::move(directories.back());
      const auto& [path, local, mode] = directory;
      directories.pop_back();
      WAGGLE_TRY(make_directory(directory));
      WAGGLE_LET(entries, client_.readdir(path));
      for (auto& entry : entries) {
        if (!is_plain_name(entry.name)) {
          return fail(Fault::protocol, fmt::format("the server lists the name '{}'", entry.name),
                      "do not trust that server");
        }
        Wanted wanted{join_path(path, entry.name), local / entry.name, entry.attributes.size};
        if (entry.attributes.type == FileType::directory) {
          directories.emplace_back(std::move(wanted.path), std::move(wanted.target), entry.attributes.mode);
        } else if (entry.attributes.type == FileType::regular) {
          watch_.expect(wanted.size);
          (wanted.size <= kMaxView ? small : large).push_back(std::move(wanted));
        } else {
          ++total_.left_out;
        }
      }
    }
    return {};
  }

  /// Many small files share each round trip.
  Result<> fetch_small(const std::vector<Wanted>& wanted) {
    std::vector<std::string> paths;
    paths.reserve(wanted.size());
    std::ranges::transform(wanted, std::back_inserter(paths), &Wanted::path);
    return client_.fetch_many(paths, [&](const protocol::Client::Fetched& fetched) -> Result<> {
      const Wanted& want = wanted[fetched.index];
      watch_.doing(want.path);
      WAGGLE_LET(landing,
                 store::Landing::open(want.target, fetched.content.size(), mode_.of(fetched.attributes.mode), false));
      WAGGLE_TRY(landing.write(fetched.content));
      WAGGLE_TRY(landing.commit(options_.durable));
      ++total_.files;
      total_.bytes += fetched.content.size();
      return {};
    });
  }

  protocol::Client& client_;
  const TransferOptions& options_;
  const Interrupt& interrupt_;
  TransferWatch& watch_;
  TransferTotal& total_;
  LocalMode mode_{options_.keep_mode};
  bool kept_ = false;
};

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
    app.add_flag("--keep-mode", options_.keep_mode, "the server's permission bits, unfiltered by the umask")
        ->group("Transfer");
  }

  Result<> run(const Global& global) override {
    TransferTotal total{.start_ns = now_ns()};
    WAGGLE_TRY(parse_names());
    const Interrupt interrupt;
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
    }
    interrupt.guard(nullptr);
    watch.stop();
    if (!done) {
      return std::unexpected(options_.explain(done.error(), interrupt, fetcher.kept()));
    }
    const std::string from = remotes_.size() == 1 ? names_.front() : endpoint_text(remotes_.front().endpoint);
    print_total(global, total, from, (remotes_.size() == 1 ? first : local_).native(), options_.digest,
                to_stdout() ? stderr : stdout);
    return {};
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

const Registration registration{std::make_unique<Get>()};

}  // namespace
}  // namespace waggle::cli
