// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/get_fetcher.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>

#include "base/units.hpp"
#include "harness/cli/get_stream.hpp"
#include "harness/cli/remote.hpp"
#include "harness/store/attributes.hpp"

namespace waggle::cli {

namespace fs = std::filesystem;
using protocol::FileType;

namespace {

Result<> check(const protocol::Client::File& file, const protocol::Transferred& got, std::uint64_t length) {
  return got.bytes == length && got.version == file.attributes.version
             ? Result<>()
             : fail(Fault::changed, "the file changed while it was sent", "fetch it again");
}

/// The version (see Attributes) of the directory of this machine in which `target` is or will be.
std::uint64_t version_here(fs::path target) {
  std::error_code ignored;
  target = fs::absolute(target, ignored);
  struct stat status{};
  while (::stat(target.c_str(), &status) != 0) {
    if (target == target.parent_path()) {
      return 0;
    }
    target = target.parent_path();
  }
  return store::attributes_of(status).version;
}

}  // namespace

Result<> Fetcher::go_on() const {
  return interrupt_.asked() ? Result<>(fail(Fault::cancelled, "interrupted")) : Result<>();
}

Result<> Fetcher::fetch(const std::string& path, const fs::path& target) {
  WAGGLE_LET(file, client_.lookup(path));
  if (file.attributes.type != FileType::directory) {
    watch_.expect(file.attributes.size);
    return fetch_file(path, file, target);
  }
  WAGGLE_TRY(client_.release(file));
  if (!options_.recursive) {
    return fail(Fault::usage, fmt::format("'{}' is a directory", path), "add --recursive");
  }
  return fetch_tree(path, target, file.attributes);
}

Result<> Fetcher::stream(const std::string& path) {
  WAGGLE_LET(file, client_.lookup(path));
  if (file.attributes.type == FileType::directory) {
    return fail(Fault::usage, fmt::format("'{}' is a directory, which stdout cannot take", path), "name a file");
  }
  watch_.expect(file.attributes.size);
  watch_.doing(path);
  if (auto sent = stream_file(client_, file, STDOUT_FILENO, [this] { return go_on(); }); !sent) {
    return std::unexpected(about(path, std::move(sent).error()));
  }
  WAGGLE_TRY(client_.release(file));
  ++total_.files;
  total_.bytes += file.attributes.size;
  return {};
}

Result<> Fetcher::fetch_file(const std::string& path, const protocol::Client::File& file, const fs::path& target) {
  watch_.doing(path);
  const auto& attributes = file.attributes;
  auto landing = store::Landing::open(target, attributes.size, mode_.of(attributes.mode), options_.resume);
  const auto filled = landing ? fill(file, *landing) : Result<>();
  if (!filled) {
    kept_ = options_.resume && landing->keep();
  }
  // Whatever became of it: a server lets a client have so many.
  const auto released = client_.release(file);
  if (!landing) {
    return std::unexpected(about(target.native(), std::move(landing).error()));
  }
  if (!filled) {
    return std::unexpected(about(path, filled.error()));
  }
  WAGGLE_TRY(released);
  WAGGLE_TRY(landing->commit(options_.durable));
  ++total_.files;
  total_.bytes += attributes.size;
  return {};
}

Result<> Fetcher::fill(const protocol::Client::File& file, store::Landing& landing) {
  // A new file is a hole of its full size, if it has more than one block: what is not zeros differs from it.
  const bool sparse = options_.sparse && file.attributes.size > kDigestBlock;
  return landing.resumed() || sparse ? compare(file, landing) : read(file, {0, file.attributes.size}, landing);
}

/// Reads what is not there already.
Result<> Fetcher::compare(const protocol::Client::File& file, store::Landing& landing) {
  const std::uint64_t size = file.attributes.size;
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

Result<> Fetcher::read(const protocol::Client::File& file, const store::Landing::Gap& gap,
                       const store::Landing& landing) {
  if (gap.length == 0) {
    return {};
  }
  WAGGLE_LET(got, client_.read(file, gap.offset, gap.length, {Incoming::Sink::file, landing.file()}));
  return check(file, got, gap.length);
}

Result<> Fetcher::fetch_tree(const std::string& path, const fs::path& target, const protocol::Attributes& attributes) {
  // All is listed before anything is made: what is made could be listed otherwise.
  WAGGLE_LET(tree, list_tree({.path = path, .target = target, .mode = attributes.mode, .version = attributes.version},
                             version_here(target)));
  WAGGLE_TRY(make_directory(tree.directories.front()));
  for (Directory& directory : tree.directories | std::views::drop(1)) {
    WAGGLE_TRY(go_on());
    WAGGLE_TRY(go_past(make_directory(directory), watch_, total_));
  }
  WAGGLE_TRY(fetch_small(tree.small));
  for (const Wanted& wanted : tree.large) {
    WAGGLE_TRY(go_on());
    WAGGLE_TRY(go_past(fetch_large(wanted), watch_, total_));
  }
  for (const Directory& directory : tree.directories | std::views::reverse) {
    if (directory.made && ::chmod(directory.target.c_str(), mode_.of(directory.mode)) != 0) {
      WAGGLE_TRY(
          go_past(fail_errno(fmt::format("cannot set the mode of '{}'", directory.target.native())), watch_, total_));
    }
  }
  return {};
}

Result<Fetcher::Tree> Fetcher::list_tree(Directory top, std::uint64_t here) {
  Tree tree;
  std::vector<Directory> left{std::move(top)};
  while (!left.empty()) {
    WAGGLE_TRY(go_on());
    const Directory directory = std::move(left.back());
    left.pop_back();
    tree.directories.push_back(directory);
    if (directory.version == here) {  // the same directory of the same machine
      return inside_itself(tree.directories.front().target.native());
    }
    auto listed = list_directory(directory, tree, left);
    WAGGLE_TRY(tree.directories.size() == 1 ? listed : go_past(std::move(listed), watch_, total_));
    if (tree.listed > most_listed_) {
      return fail(Fault::usage,
                  fmt::format("'{}': the list of this tree takes more than {}", tree.directories.front().path,
                              format_bytes(most_listed_)),
                  "fetch its directories one by one, if you trust that server");
    }
  }
  return tree;
}

Result<> Fetcher::list_directory(const Directory& directory, Tree& tree, std::vector<Directory>& below) {
  WAGGLE_LET(entries, client_.readdir(directory.path));
  for (auto& entry : entries) {
    if (tree.listed > most_listed_) {  // list_tree() says so
      return {};
    }
    const protocol::Attributes& attributes = entry.attributes;
    if (!is_plain_name(entry.name)) {
      return fail(Fault::protocol, fmt::format("the server lists the name '{}'", entry.name),
                  "do not trust that server");
    }
    std::string path = join_path(directory.path, entry.name);
    fs::path target = directory.target / entry.name;
    tree.listed += sizeof(Directory) + path.size() + target.native().size();
    if (attributes.type == FileType::directory) {
      below.push_back({.path = std::move(path),
                       .target = std::move(target),
                       .mode = attributes.mode,
                       .version = attributes.version});
    } else if (attributes.type == FileType::regular) {
      watch_.expect(attributes.size);
      (attributes.size <= kMaxView ? tree.small : tree.large)
          .push_back({std::move(path), std::move(target), attributes.size});
    } else {
      ++total_.left_out;
    }
  }
  return {};
}

/// One that is there already stays as it is.
Result<> Fetcher::make_directory(Directory& directory) const {
  std::error_code error;
  const fs::path& target = directory.target;
  fs::create_directories((target / "").parent_path().parent_path(), error);
  directory.made = ::mkdir(target.c_str(), mode_.while_filled(directory.mode)) == 0;
  const int why = errno;
  return directory.made || store::is_directory_to_fill(target)
             ? Result<>()
             : fail_errno(fmt::format("cannot create the directory '{}'", target.native()), why);
}

/// Many small files share each round trip.
Result<> Fetcher::fetch_small(const std::vector<Wanted>& wanted) {
  std::vector<std::string> paths;
  paths.reserve(wanted.size());
  std::ranges::transform(wanted, std::back_inserter(paths), &Wanted::path);
  return client_.fetch_many(
      paths,
      [&](const protocol::Client::Fetched& fetched) {
        return go_past(land_small(wanted[fetched.index], fetched), watch_, total_);
      },
      [&](std::size_t index, const Error& error) {
        return go_past(std::unexpected(about(wanted[index].path, error)), watch_, total_);
      });
}

Result<> Fetcher::land_small(const Wanted& wanted, const protocol::Client::Fetched& fetched) {
  WAGGLE_TRY(go_on());
  watch_.doing(wanted.path);
  WAGGLE_LET(landing,
             store::Landing::open(wanted.target, fetched.content.size(), mode_.of(fetched.attributes.mode), false));
  WAGGLE_TRY(landing.write(fetched.content));
  WAGGLE_TRY(landing.commit(options_.durable));
  ++total_.files;
  total_.bytes += fetched.content.size();
  return {};
}

Result<> Fetcher::fetch_large(const Wanted& wanted) {
  WAGGLE_LET(file, client_.lookup(wanted.path));
  return fetch_file(wanted.path, file, wanted.target);
}

}  // namespace waggle::cli
