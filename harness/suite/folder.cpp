// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/files_in.hpp"
#include "harness/record/file.hpp"

namespace waggle::suite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 120;

fs::path results_folder() {
  const char* place = std::getenv("WAGGLE_RESULTS");
  return place != nullptr && *place != '\0' ? place : "results";
}

/// "quick-20261127-231500" of the suite "quick"; not that of the suite "quick-2".
bool is_call_of(const std::string& suite, const fs::path& folder) {
  const std::string name = folder.filename().string();
  const std::string prefix = suite + "-";
  const auto is_time = [](char c) { return (c >= '0' && c <= '9') || c == '-'; };
  return name.starts_with(prefix) && name.size() == prefix.size() + 15 &&
         std::ranges::all_of(name.substr(prefix.size()), is_time);
}

/// The latest call of the suite; empty when there is none.
fs::path latest(const std::string& suite) {
  fs::path last;
  std::error_code error;
  for (fs::directory_iterator entry(results_folder(), error), end; !error && entry != end; entry.increment(error)) {
    if (is_call_of(suite, entry->path()) && entry->path() > last) {
      last = entry->path();
    }
  }
  return last;
}

Result<> make_writable(const fs::path& folder) {
  const auto* hint = "choose another place with --output";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail_errno(fmt::format("cannot make {}", folder.string()), error.value(), hint);
  }
  return ::access(folder.c_str(), W_OK | X_OK) == 0
             ? Result<>()
             : Result<>(fail_errno(fmt::format("cannot write records into {}", folder.string()), errno, hint));
}

}  // namespace

Result<fs::path> choose_folder(const std::string& suite, const fs::path& output, bool resume) {
  fs::path folder = output;
  if (folder.empty() && resume) {
    folder = latest(suite);
  }
  if (folder.empty()) {
    folder = results_folder() / fmt::format("{}-{:%Y%m%d-%H%M%S}", suite, fmt::gmtime(std::time(nullptr)));
  }
  WAGGLE_TRY(make_writable(folder));
  if (!resume && !files_in(folder, ".json").empty()) {
    return fail(Fault::usage, fmt::format("{} has records already", folder.string()),
                "go on with them by --resume, or name another place with --output");
  }
  return folder;
}

std::string file_name(const Planned& experiment) {
  std::string name = fmt::format("{}-{}", experiment.suite, experiment.id);
  for (const auto& [key, value] : experiment.point) {
    name += fmt::format("-{}", value);
  }
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  std::ranges::replace_if(name, [&](char c) { return !fits(c); }, '_');
  return name.substr(0, kLongestName) + ".json";
}

Tally tally_of(const record::Record& record) {
  Tally tally;
  for (const record::Contestant& contestant : record.contestants) {
    const bool bad = contestant.status == record::Status::failed;
    if (!contestant.ok() && (tally.problem.empty() || (bad && tally.failed == 0))) {
      tally.problem = fmt::format("{}: {}", contestant.label, contestant.reason.value_or(""));
    }
    tally.ok += contestant.ok() ? 1 : 0;
    tally.failed += bad ? 1 : 0;
    tally.unavailable += contestant.status == record::Status::unavailable ? 1 : 0;
  }
  if (tally.failed == 0 && tally.ok > 0) {
    tally.problem.clear();
  }
  return tally;
}

Kept Kept::in(const fs::path& folder) {
  Kept kept;
  for (const fs::path& file : files_in(folder, ".json")) {
    const auto document = record::read_document(file);
    auto record = document ? record::from_json(*document) : Result<record::Record>(std::unexpected(document.error()));
    if (!record) {
      kept.broken_.push_back(file);
    } else if (record->suite) {
      kept.found_.push_back(
          {.file = file, .suite = *record->suite, .revision = record->git, .tally = tally_of(*record)});
    }
  }
  return kept;
}

std::vector<const Kept::Found*> Kept::of(const Planned& experiment) const {
  std::vector<const Found*> all;
  for (const Found& found : found_) {
    if (found.suite.name == experiment.suite && found.suite.experiment == experiment.id &&
        found.suite.point == experiment.point) {
      all.push_back(&found);
    }
  }
  return all;
}

const Kept::Found* Kept::match(const Planned& experiment) const {
  const Found* best = nullptr;
  for (const Found* found : of(experiment)) {
    if (found->suite.digest == experiment.digest && (best == nullptr || (found->whole() && !best->whole()))) {
      best = found;
    }
  }
  return best;
}

Result<> set_aside(const fs::path& record) {
  fs::path aside = record;
  aside += ".old";
  std::error_code error;
  for (int number = 2; fs::exists(aside, error); ++number) {
    aside = record;
    aside += fmt::format(".old-{}", number);
  }
  fs::rename(record, aside, error);
  return error ? Result<>(fail_errno(fmt::format("cannot set {} aside", record.string()), error.value())) : Result<>();
}

}  // namespace waggle::suite
