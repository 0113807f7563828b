// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "base/clock.hpp"
#include "base/write_all.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

enum class Direction { download, upload };
constexpr auto words_of(Direction) {
  return std::to_array<Word<Direction>>({{Direction::download, "download"}, {Direction::upload, "upload"}});
}

struct SmallFilesOptions {
  std::uint64_t count = 10'000;
  std::uint64_t small_min = 0;
  std::uint64_t small_max = 16 * 1024;
  Direction direction = Direction::download;
};

const OptionTable<SmallFilesOptions>& small_files_options() {
  static const OptionTable<SmallFilesOptions> table{
      {"count", &SmallFilesOptions::count, OptionType::number(1), "files"},
      {"small_min", &SmallFilesOptions::small_min, OptionType::bytes(0, kMaxView), "of the smallest file"},
      {"small_max", &SmallFilesOptions::small_max, OptionType::bytes(0, kMaxView), "of the largest file"},
      {"direction", &SmallFilesOptions::direction, "which way the files go"},
  };
  return table;
}

SmallFilesOptions own_of(const Parameters& parameters) {
  return small_files_options().read(parameters.own);
}

/// Of memory, that a file takes besides its bytes: half a page at its end, and its inode with its name.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kInode = 1024;

std::uint64_t files_of(const Parameters& parameters) {
  return own_of(parameters).count;
}

bool uploads(const Parameters& parameters) {
  return own_of(parameters).direction == Direction::upload;
}

std::uint64_t directories_of(std::uint64_t files) {
  return (files + kFilesPerDirectory - 1) / kFilesPerDirectory;
}

/// Writes verified files into a tree that gets its name only when it is whole. Files come in the order of their
/// directories, so one directory is open at a time.
class TreeWriter {
 public:
  explicit TreeWriter(std::filesystem::path root) : root_(std::move(root)) {}

  Result<> write(std::uint64_t index, ByteView content) {
    if (index / kFilesPerDirectory != directory_ || !handle_) {
      WAGGLE_TRY(enter(index / kFilesPerDirectory));
    }
    char name[16];
    std::snprintf(name, sizeof name, "f%06llu", static_cast<unsigned long long>(index));
    UniqueFd file(::openat(handle_.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) {
      return fail_errno(fmt::format("cannot create {}/{}", root_.string(), name));
    }
    return write_all(file.get(), content) ? Result<>()
                                          : fail_errno(fmt::format("cannot write {}/{}", root_.string(), name));
  }

 private:
  Result<> enter(std::uint64_t directory) {
    const auto path = root_ / tree_directory(directory);
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno(fmt::format("cannot make {}", path.string()));
    }
    WAGGLE_LET(opened, open_file(path, O_RDONLY | O_DIRECTORY));
    handle_ = std::move(opened);
    directory_ = directory;
    return {};
  }

  std::filesystem::path root_;
  UniqueFd handle_;
  std::uint64_t directory_ = 0;
};

/// A tree of many small files, as many under way as the client's pipeline holds.
class SmallFiles final : public Workload {
 public:
  std::string_view name() const override { return "small-files"; }
  std::string_view summary() const override { return "a tree of many small files, pipelined"; }
  Traits traits() const override { return {.fills_sink = true, .reads_files = true}; }
  const std::vector<OptionInfo>& options() const override { return small_files_options().infos(); }
  bool server_sends(const Parameters& parameters) const override { return !uploads(parameters); }
  std::uint64_t fills(const Parameters& parameters) const override {
    const SmallFilesOptions own = own_of(parameters);
    const std::uint64_t mean = (own.small_min + own.small_max) / 2;
    return own.count * (mean + kPage / 2 + kInode);
  }
  std::uint64_t makes(const Parameters& parameters) const override { return fills(parameters); }

  Result<> check(const Parameters& parameters) const override {
    const SmallFilesOptions own = own_of(parameters);
    return own.small_min > own.small_max
               ? fail(Fault::usage,
                      fmt::format("the smallest file ({} bytes) is larger than the largest ({})", own.small_min,
                                  own.small_max),
                      "swap --small-min and --small-max")
               : Result<>();
  }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path& local) const override {
    const SmallFilesOptions own = own_of(parameters);
    return make_tree((uploads(parameters) ? local : served) / "tree", own.count, own.small_min, own.small_max,
                     parameters.seed);
  }

  Result<> prepare(const Context& context) const override {
    if (!uploads(context.parameters)) {
      return fetch(context, [](const auto&) -> Result<> { return {}; });
    }
    WAGGLE_TRY(context.client.mkdir(uploaded(context), 0755));
    const std::uint64_t directories = directories_of(files_of(context.parameters));
    for (std::uint64_t d = 0; d < directories; ++d) {
      WAGGLE_TRY(context.client.mkdir(uploaded(context) + "/" + tree_directory(d), 0755));
    }
    return {};
  }

  Result<Outcome> run(const Context& context) const override {
    return uploads(context.parameters) ? run_upload(context) : run_download(context);
  }

  Result<> reset(const Context& context) const override {
    if (!uploads(context.parameters)) {
      std::error_code ignored;
      std::filesystem::remove_all(context.local / downloaded(context), ignored);
      return {};
    }
    const std::uint64_t files = files_of(context.parameters);
    for (std::uint64_t i = 0; i < files; ++i) {
      WAGGLE_TRY(context.client.remove(uploaded(context) + "/" + tree_file(i)));
    }
    for (std::uint64_t d = 0; d < directories_of(files); ++d) {
      WAGGLE_TRY(context.client.remove(uploaded(context) + "/" + tree_directory(d)));
    }
    return context.client.remove(uploaded(context));
  }

 private:
  static std::string downloaded(const Context& context) { return fmt::format("tree-{}", context.index); }
  static std::string uploaded(const Context& context) { return fmt::format("uploaded-tree-{}", context.index); }

  static std::vector<std::string> served_paths(const Parameters& parameters) {
    const std::uint64_t files = files_of(parameters);
    std::vector<std::string> paths;
    for (std::uint64_t i = 0; i < files; ++i) {
      paths.push_back("tree/" + tree_file(i));
    }
    return paths;
  }

  template <typename Done>
  static Result<> fetch(const Context& context, Done&& done) {
    return context.client.fetch_many(served_paths(context.parameters), std::forward<Done>(done));
  }

  static Result<Outcome> run_download(const Context& context) {
    const auto paths = served_paths(context.parameters);
    const bool keep = context.parameters.sink == Incoming::Sink::file;
    const auto partial = context.local / (downloaded(context) + ".part");
    TreeWriter writer(partial);
    Outcome outcome;
    auto& latency = outcome.latency_ns["file"];
    outcome.start_ns = now_ns();
    if (keep && ::mkdir(partial.c_str(), 0755) != 0) {
      return fail_errno(fmt::format("cannot make {}", partial.string()));
    }
    WAGGLE_TRY(context.client.fetch_many(paths, [&](const protocol::Client::Fetched& fetched) -> Result<> {
      latency.record(fetched.latency_ns);
      outcome.payload_bytes += fetched.content.size();
      outcome.verify_ns += fetched.verify_ns;
      ++outcome.operations;
      return keep ? writer.write(fetched.index, fetched.content) : Result<>{};
    }));
    if (keep && std::rename(partial.c_str(), (context.local / downloaded(context)).c_str()) != 0) {
      return fail_errno(fmt::format("cannot rename {}", partial.string()));
    }
    outcome.end_ns = now_ns();
    return outcome;
  }

  static Result<Outcome> run_upload(const Context& context) {
    Outcome outcome;
    auto& latency = outcome.latency_ns["file"];
    const std::string base = uploaded(context) + "/";
    outcome.start_ns = now_ns();
    const auto source = [&](std::size_t index) -> Result<protocol::Client::Small> {
      WAGGLE_LET(file, open_file(context.local / "tree" / tree_file(index), O_RDONLY));
      const auto size = static_cast<std::uint64_t>(::lseek(file.get(), 0, SEEK_END));
      outcome.payload_bytes += size;
      return protocol::Client::Small{.path = base + tree_file(index), .from = std::move(file), .size = size};
    };
    const auto done = [&](std::size_t, std::uint64_t latency_ns) -> Result<> {
      latency.record(latency_ns);
      ++outcome.operations;
      return {};
    };
    WAGGLE_TRY(context.client.store_many(files_of(context.parameters), source, done));
    outcome.end_ns = now_ns();
    return outcome;
  }
};

const Registration small_files_registration{std::make_unique<SmallFiles>()};

}  // namespace
}  // namespace waggle::workloads
