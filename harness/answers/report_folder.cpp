// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/report_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;

/// By which a report is known for one, and all else that one holds: a folder with anything besides is somebody's own,
/// and replacing it would take that away.
constexpr std::string_view kMark = "report.json";
constexpr auto kParts =
    std::to_array<std::string_view>({kMark, "report.md", "figures.csv", "runs.csv", "index.html", "plots", "tables"});

/// The first thing in a folder that is no part of a report; empty when there is none.
std::string foreign_in(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().native());
  }
  std::ranges::sort(names);
  const auto found = std::ranges::find_if(
      names, [](const std::string& name) { return std::ranges::find(kParts, name) == kParts.end(); });
  const bool marked = names.empty() || std::ranges::find(names, kMark) != names.end();
  return found != names.end() ? *found : error || !marked ? "no report.json" : std::string();
}

Result<> check_place(const fs::path& place) {
  std::error_code error;
  const auto status = fs::symlink_status(place, error);
  if (status.type() == fs::file_type::not_found) {
    return {};
  }
  const bool folder = status.type() == fs::file_type::directory;
  const auto foreign = folder ? foreign_in(place) : std::string();
  if (folder && foreign.empty()) {
    return {};
  }
  const auto why = folder ? fmt::format("holds something else than a report ({})", foreign) : "is no folder";
  return fail(Fault::usage, fmt::format("--output: {} {}", place.native(), why),
              "name a new folder, or that of an earlier report");
}

std::unexpected<Error> cannot_write(const fs::path& path, int error) {
  return fail_errno(fmt::format("cannot write {}", path.native()), error, "choose another place with --output");
}

}  // namespace

Result<ReportFolder> ReportFolder::make(const fs::path& asked) {
  const fs::path place = asked.has_filename() ? asked : asked.parent_path();
  WAGGLE_TRY(check_place(place));
  std::error_code error;
  if (place.has_parent_path()) {
    fs::create_directories(place.parent_path(), error);
    if (error) {
      return cannot_write(place, error.value());
    }
  }
  std::string path = place.native() + ".XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return cannot_write(place, errno);
  }
  ReportFolder folder(place, path);
  // As a folder that somebody makes by hand: mkdtemp(3) makes one for its owner alone.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::chmod(path.c_str(), 0777 & ~mask) != 0) {
    return cannot_write(place, errno);
  }
  return folder;
}

Result<ReportFolder> ReportFolder::scratch() {
  std::error_code error;
  const auto place = fs::temp_directory_path(error) / "waggle-report";
  std::string path = place.native() + ".XXXXXX";
  if (error || ::mkdtemp(path.data()) == nullptr) {
    return fail_errno("cannot make a temporary folder", error ? error.value() : errno, "set TMPDIR to another place");
  }
  return ReportFolder(place, path);
}

ReportFolder::ReportFolder(ReportFolder&& other) noexcept
    : place_(std::move(other.place_)), path_(std::exchange(other.path_, {})) {}

ReportFolder::~ReportFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}

Result<> ReportFolder::write(const fs::path& name, std::string_view text) const {
  const fs::path path = path_ / name;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  return file ? Result<>{} : cannot_write(path, errno);
}

Result<> ReportFolder::publish() {
  if (::rename(path_.c_str(), place_.c_str()) == 0) {
    path_.clear();
    return {};
  }
  // An earlier report: the two change places, and the old one goes.
  if (errno != ENOTEMPTY && errno != EEXIST) {
    return cannot_write(place_, errno);
  }
  WAGGLE_TRY(check_place(place_));
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, place_.c_str(), RENAME_EXCHANGE) != 0) {
    // Not every file system can exchange two names (NFS, FUSE): for a moment there is none, and never half of one.
    const auto earlier = path_.native() + ".old";
    if (errno != EINVAL || ::rename(place_.c_str(), earlier.c_str()) != 0) {
      return cannot_write(place_, errno);
    }
    if (::rename(path_.c_str(), place_.c_str()) != 0) {
      const int error = errno;
      ::rename(earlier.c_str(), place_.c_str());
      return cannot_write(place_, error);
    }
    path_ = earlier;
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  path_.clear();
  return {};
}

}  // namespace waggle::answers
