// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

constexpr std::uint64_t kDefaultFiles = 10'000;
/// Of memory, that a file takes besides its bytes: half a page at its end, and its inode with its name.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kInode = 1024;

std::uint64_t files_of(const Parameters& parameters) {
  return parameters.count == 0 ? kDefaultFiles : parameters.count;
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
    while (!content.empty()) {
      const ssize_t n = ::write(file.get(), content.data(), content.size());
      if (n < 0) {
        return fail_errno(fmt::format("cannot write {}/{}", root_.string(), name));
      }
      content = content.subspan(static_cast<std::size_t>(n));
    }
    return {};
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
  std::vector<OptionInfo> options() const override {
    return {{"count", "files (10,000)"},
            {"small-min", "bytes of the smallest (0)"},
            {"small-max", "bytes of the largest (16 KiB)"},
            {"direction", "download or upload"},
            {"sink", "what receives: discard, file or tmpfs (tmpfs)"},
            {"huge", "mount the tmpfs with huge=always"},
            {"cache", "page cache of the source: warm or cold (warm)"}};
  }
  bool server_sends(const Parameters& parameters) const override { return !parameters.upload; }
  bool bulk() const override { return false; }
  std::uint64_t fills(const Parameters& parameters) const override {
    const std::uint64_t mean = (parameters.small_min + parameters.small_max) / 2;
    return files_of(parameters) * (mean + kPage / 2 + kInode);
  }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path& local) const override {
    if (parameters.small_max > kMaxView) {
      return fail(Fault::usage, fmt::format("files of {} bytes are not small", parameters.small_max),
                  fmt::format("keep --small-max at or below {}", kMaxView));
    }
    return make_tree((parameters.upload ? local : served) / "tree", files_of(parameters), parameters.small_min,
                     parameters.small_max, parameters.seed);
  }

  Result<> prepare(const Context& context) const override {
    if (!context.parameters.upload) {
      return fetch(context, [](const auto&) -> Result<> { return {}; });
    }
    WAGGLE_TRY(context.client.mkdir(uploaded(context), 0755));
    for (std::uint64_t d = 0; d < directories_of(files_of(context.parameters)); ++d) {
      WAGGLE_TRY(context.client.mkdir(uploaded(context) + "/" + tree_directory(d), 0755));
    }
    return {};
  }

  Result<Outcome> run(const Context& context) const override {
    return context.parameters.upload ? run_upload(context) : run_download(context);
  }

  Result<> reset(const Context& context) const override {
    if (!context.parameters.upload) {
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
    std::vector<std::string> paths;
    for (std::uint64_t i = 0; i < files_of(parameters); ++i) {
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
