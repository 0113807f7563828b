// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"
#include "base/write_all.hpp"
#include "harness/record/json_text.hpp"
#include "harness/record/record.hpp"

namespace waggle::record {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_write(const fs::path& path) {
  return fail_errno(fmt::format("cannot write the record {}", path.native()), errno,
                    "choose another place with --output");
}

Result<> write_text(int fd, std::string_view text, const fs::path& path) {
  return write_all(fd, std::as_bytes(std::span(text))) ? Result<>() : cannot_write(path);
}

Result<> write_as_it_is(const fs::path& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file ? write_text(file.get(), text, path) : cannot_write(path);
}

/// A file that is not yet a record; removed unless it became one.
class Partial {
 public:
  static Result<Partial> make(const fs::path& record) {
    for (int number = 0;; ++number) {  // a killed process of the same number may have left one
      fs::path path = record;
      path += fmt::format(".{}.{}.part", ::getpid(), number);
      if (UniqueFd file(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)); file) {
        return Partial(std::move(path), std::move(file));
      }
      if (errno != EEXIST) {
        return cannot_write(record);
      }
    }
  }
  Partial(Partial&& other) noexcept : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}
  Partial& operator=(Partial&&) = delete;
  ~Partial() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }

  /// On the disk before it has its name: a crash of the machine must not leave half a record either.
  Result<> fill(std::string_view text) {
    WAGGLE_TRY(write_text(file_.get(), text, path_));
    return ::fdatasync(file_.get()) == 0 || errno == EINVAL ? Result<>() : cannot_write(path_);
  }

  /// False when the name is taken.
  Result<bool> become(const fs::path& name) {
    if (::link(path_.c_str(), name.c_str()) == 0) {
      return true;
    }
    // File systems without hard links can rename without replacing.
    if (errno != EEXIST && ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
      path_.clear();
      return true;
    }
    return errno == EEXIST ? Result<bool>(false) : take(name);
  }

  /// What it holds is whole, but cannot have its name: it stays where it is, and the error says where that is.
  std::unexpected<Error> keep(Error error) {
    error.hint = fmt::format("the record is {}; rename it", path_.native());
    path_.clear();
    return std::unexpected(std::move(error));
  }

 private:
  Partial(fs::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}

  /// Where there is neither of them (FUSE, 9p and the like): an empty file takes the name, if it is free, and is
  /// replaced by the whole record.
  Result<bool> take(const fs::path& name) {
    if (const UniqueFd place(::open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)); !place) {
      return errno == EEXIST ? Result<bool>(false) : cannot_write(name);
    }
    if (::rename(path_.c_str(), name.c_str()) != 0) {
      auto failed = cannot_write(name);
      ::unlink(name.c_str());
      return failed;
    }
    path_.clear();
    return true;
  }

  fs::path path_;
  UniqueFd file_;
};

fs::path numbered(const fs::path& path, int number) {
  fs::path name = path.stem();
  name += fmt::format("-{}", number);
  name += path.extension();
  return path.parent_path() / name;
}

}  // namespace

Result<fs::path> write_record(const fs::path& path, const nlohmann::json& record) {
  const std::string text = json_text(record) + "\n";
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    WAGGLE_TRY(write_as_it_is(path, text));
    return path;
  }
  WAGGLE_LET(partial, Partial::make(path));
  WAGGLE_TRY(partial.fill(text));
  fs::path name = path;
  for (int number = 2;; ++number) {
    const auto named = partial.become(name);
    if (!named) {
      return partial.keep(named.error());
    }
    if (*named) {
      return name;
    }
    name = numbered(path, number);
  }
}

namespace {

constexpr std::string_view kFamily = "waggle-record/";

/// The JSON in a file, gzipped or not. Fault::corrupt when it is none.
Result<nlohmann::json> json_in(const fs::path& path) {
  errno = 0;
  const std::unique_ptr<gzFile_s, decltype(&::gzclose_r)> file(::gzopen(path.c_str(), "rbe"), &::gzclose_r);
  if (!file) {
    return fail_errno(fmt::format("cannot open {}", path.native()), errno != 0 ? errno : ENOMEM,
                      "name a record that run or compare has written");
  }
  constexpr std::size_t kMost = std::size_t{256} << 20U;  // of a record that somebody could want to read
  std::string text(1 << 16, '\0');
  std::size_t size = 0;
  for (int got = 1; size < kMost && got > 0;) {
    got = ::gzread(file.get(), text.data() + size, static_cast<unsigned>(text.size() - size));
    size += static_cast<std::size_t>(std::max(got, 0));
    text.resize(size == text.size() ? 2 * size : text.size());
  }
  return parse_json(std::string_view(text).substr(0, size));
}

/// Whether a document says that it is a record, of whatever version.
bool claims_to_be_one(const nlohmann::json& document) {
  const auto* schema = document.is_object() && document.contains("schema")
                           ? document.at("schema").get_ptr<const std::string*>()
                           : nullptr;
  return schema != nullptr && schema->starts_with(kFamily);
}

}  // namespace

bool is_other_json(const fs::path& path) {
  const auto document = json_in(path);
  return document && !claims_to_be_one(*document);
}

Result<nlohmann::json> read_document(const fs::path& path) {
  auto document = json_in(path);
  if (document ? !claims_to_be_one(*document) : document.error().fault == Fault::corrupt) {
    return fail(Fault::corrupt,
                fmt::format("{} is not a record{}", path.native(), document ? "" : ": it is no JSON, or was cut off"),
                "name a JSON file that run or compare has written");
  }
  return document;
}

Result<Record> read_record(const fs::path& path) {
  WAGGLE_LET(document, read_document(path));
  if (!is_record(document)) {
    return fail(Fault::corrupt,
                fmt::format("{} has the schema {}, which this version does not know", path.native(),
                            document.at("schema").get<std::string>()),
                "read it with the version of the program that wrote it");
  }
  auto record = from_json(document);
  if (!record) {
    return fail(Fault::corrupt, fmt::format("{} is not a whole record: {}", path.native(), record.error().what));
  }
  return record;
}

}  // namespace waggle::record
