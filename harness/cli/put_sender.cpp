// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/put_sender.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <map>
#include <ranges>
#include <thread>

#include "base/clock.hpp"
#include "harness/cli/remote.hpp"
#include "harness/store/attributes.hpp"
#include "harness/store/beneath.hpp"

namespace waggle::cli {

namespace fs = std::filesystem;

namespace {

/// Files up to this size are sent many at a time, each without waiting for the one before.
constexpr std::uint64_t kSmall = std::uint64_t{64} * 1024;
/// Bytes per WRITE: few enough that progress can be seen.
constexpr std::uint64_t kExtent = std::uint64_t{64} * 1024 * 1024;
/// Longer than a server takes to see that a `put` which was interrupted just now is gone, with its upload of that name.
constexpr std::uint64_t kPatienceNs = 2'000'000'000;
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

Result<> Sender::go_on() const {
  return interrupt_.asked() ? Result<>(fail(Fault::cancelled, "interrupted")) : Result<>();
}

Result<> Sender::send(const fs::path& local, const std::string& path) {
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

Result<> Sender::send_file(const Source& source, const std::string& path) {
  watch_.doing(path);
  auto sent = upload(source, path);
  if (!sent) {
    Error error = std::move(sent).error();
    if (error.fault == Fault::changed && error.hint.empty()) {
      error.hint = kSendAgain;
    }
    return std::unexpected(std::move(error));
  }
  ++total_.files;
  total_.bytes += source.size;
  total_.unchanged += sent->unchanged;
  return {};
}

Result<protocol::Transferred> Sender::upload(const Source& source, const std::string& path) {
  const protocol::Client::UploadOptions options{.mode = mode_.of(source.mode),
                                                .durable = options_.durable,
                                                .resume = options_.resume,
                                                .extent = kExtent,
                                                .still_right = [&source] { return source.unchanged(); },
                                                .there = [this](std::uint64_t bytes) { watch_.skip(bytes); }};
  const std::uint64_t until = now_ns() + kPatienceNs;
  while (true) {
    auto sent = client_.upload(path, source.file.get(), source.size, options);
    if (sent || sent.error().fault != Fault::busy || now_ns() > until) {
      return sent;
    }
    WAGGLE_TRY(go_on());
    std::this_thread::sleep_for(kLook);
  }
}

Result<> Sender::send_tree(const fs::path& top, const std::string& path) {
  WAGGLE_LET(there, version_there(path));
  // All is listed before anything is made: what is made could be listed otherwise.
  WAGGLE_LET(tree, list_tree({.local = top, .path = path}, there));
  WAGGLE_TRY(make_directory(tree.directories.front()));
  for (Directory& directory : tree.directories | std::views::drop(1)) {
    WAGGLE_TRY(go_on());
    WAGGLE_TRY(go_past(make_directory(directory), watch_, total_));
  }
  WAGGLE_TRY(send_small(tree.small));
  for (const Wanted& wanted : tree.large) {
    WAGGLE_TRY(go_on());
    WAGGLE_TRY(go_past(send_large(wanted), watch_, total_));
  }
  for (const Directory& directory : tree.directories | std::views::reverse) {
    if (const std::uint32_t mode = mode_.of(directory.mode); directory.made && mode != mode_.while_filled(mode)) {
      const auto set = client_.setattr(directory.path, {.set_mode = true, .mode = mode});
      WAGGLE_TRY(go_past(set ? Result<>() : std::unexpected(about(directory.path, set.error())), watch_, total_));
    }
  }
  return {};
}

/// The version (see Attributes) of the server's directory in which `path` is or will be.
Result<std::uint64_t> Sender::version_there(std::string path) {
  while (true) {
    const auto there = client_.getattr(path);
    if (there) {
      return there->version;
    }
    if (there.error().fault != Fault::not_found || path.empty()) {
      return std::unexpected(there.error());
    }
    path.resize(path.size() - last_name(path).size());
    path.resize(path.find_last_not_of('/') + 1);
  }
}

Result<Sender::Tree> Sender::list_tree(Directory top, std::uint64_t there) {
  Tree tree;
  const std::string target = top.path.empty() ? "/" : top.path;
  std::vector<Directory> left{std::move(top)};
  while (!left.empty()) {
    WAGGLE_TRY(go_on());
    Directory directory = std::move(left.back());
    left.pop_back();
    struct stat status{};
    if (::stat(directory.local.c_str(), &status) != 0) {
      Result<> gone = fail_errno(fmt::format("cannot look at '{}'", directory.local.native()));
      WAGGLE_TRY(tree.directories.empty() ? gone : go_past(std::move(gone), watch_, total_));
      continue;
    }
    if (store::attributes_of(status).version == there) {  // the same directory of the same machine
      return inside_itself(target);
    }
    directory.mode = status.st_mode & 0777U;
    tree.directories.push_back(directory);
    auto listed = list_directory(directory, tree, left);
    WAGGLE_TRY(tree.directories.size() == 1 ? listed : go_past(std::move(listed), watch_, total_));
  }
  return tree;
}

Result<> Sender::list_directory(const Directory& directory, Tree& tree, std::vector<Directory>& below) {
  std::error_code error;
  fs::directory_iterator at(directory.local, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    WAGGLE_TRY(go_past(list_entry(*at, join_path(directory.path, at->path().filename().native()), tree, below), watch_,
                       total_));
  }
  return error ? Result<>(
                     fail_errno(fmt::format("cannot read the directory '{}'", directory.local.native()), error.value()))
               : Result<>();
}

/// Links are not followed.
Result<> Sender::list_entry(const fs::directory_entry& entry, std::string path, Tree& tree,
                            std::vector<Directory>& below) {
  std::error_code error;
  const fs::file_status status = entry.symlink_status(error);
  if (error) {
    return fail_errno(fmt::format("cannot look at '{}'", entry.path().native()), error.value());
  }
  if (store::is_partial_name(entry.path().filename().native())) {
    ++total_.unfinished;
    ++total_.left_out;
  } else if (fs::is_directory(status)) {
    below.push_back({.local = entry.path(), .path = std::move(path)});
  } else if (fs::is_regular_file(status)) {
    const std::uintmax_t size = entry.file_size(error);
    watch_.expect(error ? 0 : size);
    (error || size > kSmall ? tree.large : tree.small).push_back({entry.path(), std::move(path)});
  } else {
    ++total_.left_out;
  }
  return {};
}

/// One that is there already stays as it is.
Result<> Sender::make_directory(Directory& directory) {
  if (directory.path.empty()) {
    return {};
  }
  const auto made = client_.mkdir(directory.path, mode_.while_filled(directory.mode));
  directory.made = made.has_value();
  return !made && made.error().fault == Fault::exists ? Result<>() : made;
}

Result<> Sender::send_small(const std::vector<Wanted>& wanted) {
  std::map<std::size_t, Source> under_way;
  std::vector<std::size_t> again;
  WAGGLE_TRY(client_.store_many(
      wanted.size(),
      [&](std::size_t index) -> Result<protocol::Client::Small> {
        WAGGLE_LET(source, open_source(wanted[index].local, waits_));
        watch_.doing(wanted[index].path);
        UniqueFd file(::fcntl(source.file.get(), F_DUPFD_CLOEXEC, 0));
        if (!file) {
          return fail_errno(fmt::format("cannot read '{}'", wanted[index].local.native()));
        }
        const std::uint64_t size = source.size;
        const std::uint32_t mode = mode_.of(source.mode);
        const Source& kept = under_way.emplace(index, std::move(source)).first->second;
        return protocol::Client::Small{.path = wanted[index].path,
                                       .from = std::move(file),
                                       .size = size,
                                       .mode = mode,
                                       .durable = options_.durable,
                                       .still_right = [&kept] { return kept.unchanged(); }};
      },
      [&](std::size_t index, std::uint64_t) -> Result<> {
        ++total_.files;
        total_.bytes += under_way.extract(index).mapped().size;
        return go_on();
      },
      [&](std::size_t index, const Error& error) -> Result<> {
        under_way.erase(index);
        if (error.fault == Fault::busy) {
          again.push_back(index);
          return {};
        }
        return go_past(std::unexpected(about(wanted[index].path, error)), watch_, total_);
      }));
  for (const std::size_t index : again) {
    WAGGLE_TRY(go_past(send_large(wanted[index]), watch_, total_));
  }
  return {};
}

Result<> Sender::send_large(const Wanted& wanted) {
  WAGGLE_LET(source, open_source(wanted.local, waits_));
  return send_file(source, wanted.path);
}

}  // namespace waggle::cli
