// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace waggle::answers {

/// A folder that is filled beside its place and takes it whole, or is gone.
class ReportFolder {
 public:
  /// `place` must not exist, be an empty folder, or hold an earlier report, which is replaced in the end. Fault::usage
  /// for anything else that stands there.
  static Result<ReportFolder> make(const std::filesystem::path& place);
  /// One that is gone in the end, for what is needed meanwhile.
  static Result<ReportFolder> scratch();
  ReportFolder(ReportFolder&& other) noexcept;
  ReportFolder& operator=(ReportFolder&&) = delete;
  ~ReportFolder();

  /// Where it is filled.
  const std::filesystem::path& path() const { return path_; }
  /// Writes a file, with the folders that its name needs.
  Result<> write(const std::filesystem::path& name, std::string_view text) const;
  /// Puts it in its place.
  Result<> publish();

 private:
  ReportFolder(std::filesystem::path place, std::filesystem::path path)
      : place_(std::move(place)), path_(std::move(path)) {}
  std::filesystem::path place_;
  std::filesystem::path path_;
};

}  // namespace waggle::answers
