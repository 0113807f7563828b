// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/record_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <system_error>
#include <tuple>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "harness/record/file.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;

bool is_packed(const fs::path& path) {
  return path.native().ends_with(".json.gz");
}

/// Collects what folders hold. A record that was found before changes nothing.
class Collected {
 public:
  void add(const fs::path& path, record::Record record) {
    // Packed or not, it is the same record, and leaves a report's page unpacked.
    auto file = waggle::printable((is_packed(path) ? path.stem() : path.filename()).native());
    const auto text = record::to_json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const auto digest = digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(text))).hex(DigestKind::xxh3_128);
    const auto [known, is_new] = seen_.try_emplace(digest, set_.sources.size());
    if (is_new) {
      digests_.push_back(digest);
      set_.sources.push_back({.id = {}, .file = std::move(file), .record = record::printable(std::move(record))});
    } else if (auto& source = set_.sources[known->second]; file < source.file) {
      source.file = std::move(file);  // of two names the same one, wherever they were found
    }
  }

  /// All "*.json" and "*.json.gz" below a folder, but for folders called "recorded": others' records, which this
  /// project keeps beside one's own, are asked for by name. What cannot be read is told, and takes nothing else away.
  Result<> add_folder(const fs::path& folder) {
    if (const auto error = look_into(folder)) {
      return fail_errno(fmt::format("cannot read {}", folder.native()), error.value(),
                        "name files or folders of records");
    }
    return {};
  }

  /// By when they were made, and where that is the same by what they hold: not by where they were found.
  RecordSet in_order() && {
    std::vector<std::size_t> order(set_.sources.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::ranges::sort(order, {}, [&](std::size_t i) {
      const auto& source = set_.sources[i];
      return std::tie(source.record.created, source.file, digests_[i]);
    });
    RecordSet ordered{.sources = {}, .left_out = std::move(set_.left_out)};
    for (const std::size_t i : order) {
      auto& source = ordered.sources.emplace_back(std::move(set_.sources[i]));
      source.id = fmt::format("r{}", ordered.sources.size());
    }
    std::ranges::sort(ordered.left_out);
    return ordered;
  }
  bool empty() const { return set_.sources.empty(); }
  const std::vector<std::string>& left_out() const { return set_.left_out; }

 private:
  std::error_code look_into(const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      std::error_code ignored;  // of a link that leads nowhere, such as an editor's lock
      if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
        if (at->path().filename() == "recorded") {
          continue;
        }
        if (const auto closed = look_into(at->path())) {
          leave_out(at->path(), fmt::format("cannot read {}: {}", at->path().native(), closed.message()));
        }
      } else if ((at->path().extension() == ".json" || is_packed(at->path())) && at->is_regular_file(ignored)) {
        add_found(at->path());
      }
    }
    return error;
  }

  /// Other JSON may lie in a folder of records. What is no JSON may have been a record, or half of one.
  void add_found(const fs::path& path) {
    auto record = record::read_record(path);
    if (record) {
      add(path, *std::move(record));
    } else if (!record::is_other_json(path)) {
      leave_out(path, std::move(record).error().what);
    }
  }

  /// Without the folder, which is not part of what the records say.
  void leave_out(const fs::path& path, std::string why) {
    if (const auto at = why.find(path.native()); at != std::string::npos) {
      why.replace(at, path.native().size(), path.filename().native());
    }
    set_.left_out.push_back(waggle::printable(why));
  }

  RecordSet set_;
  std::map<std::string, std::size_t> seen_;  ///< indices of sources, by digest: the texts of thousands are large
  std::vector<std::string> digests_;         ///< by index
};

bool chosen(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
}

bool fits(const Selection& selection, const record::Contestant& contestant) {
  const bool datapath = chosen(selection.datapaths, contestant.label) ||
                        std::ranges::any_of(contestant.parties, [&](const record::Participant& party) {
                          return chosen(selection.datapaths, party.datapath);
                        });
  return datapath && chosen(selection.links, contestant.link);
}

/// Names of one kind that a set has, and which of them were wanted in vain.
Result<> check_known(const std::vector<std::string>& wanted, const std::set<std::string>& there,
                     std::string_view kind) {
  for (const auto& name : wanted) {
    if (!there.contains(name)) {
      return fail(Fault::usage, fmt::format("--select: no record has the {} {}", kind, name),
                  fmt::format("there are: {}", fmt::join(there, ", ")));
    }
  }
  return {};
}

}  // namespace

Result<RecordSet> read_records(const std::vector<std::string>& places) {
  Collected all;
  for (const auto& place : places) {
    std::error_code ignored;
    if (fs::is_directory(place, ignored)) {
      WAGGLE_TRY(all.add_folder(place));
      continue;
    }
    WAGGLE_LET(record, record::read_record(place));
    all.add(place, std::move(record));
  }
  if (all.empty()) {
    return fail(Fault::usage, fmt::format("there is no record in {}", fmt::join(places, ", ")),
                all.left_out().empty() ? "make some with run, compare or suite"
                                       : fmt::format("left out: {}", fmt::join(all.left_out(), "; ")));
  }
  return std::move(all).in_order();
}

Result<> select(RecordSet& set, const Selection& selection) {
  std::set<std::string> datapaths;
  std::set<std::string> workloads;
  std::set<std::string> links;
  for (const auto& source : set.sources) {
    workloads.insert(source.record.spec.workload);
    for (const auto& contestant : source.record.contestants) {
      datapaths.insert(contestant.label);
      links.insert(contestant.link);
      for (const auto& party : contestant.parties) {
        datapaths.insert(party.datapath);
      }
    }
  }
  links.erase("");
  WAGGLE_TRY(check_known(selection.datapaths, datapaths, "datapath"));
  WAGGLE_TRY(check_known(selection.workloads, workloads, "workload"));
  WAGGLE_TRY(check_known(selection.links, links, "link"));
  std::erase_if(set.sources, [&](Source& source) {
    std::erase_if(source.record.contestants, [&](const auto& contestant) { return !fits(selection, contestant); });
    return !chosen(selection.workloads, source.record.spec.workload) || source.record.contestants.empty();
  });
  if (set.sources.empty()) {
    return fail(Fault::usage, "--select: no record fits all of it", "select less");
  }
  return {};
}

std::vector<Experiment> experiments(const RecordSet& set) {
  std::vector<Experiment> all;
  for (const auto& source : set.sources) {
    auto links = report::links_of(source.record);
    if (links.empty()) {
      links.emplace_back();
    }
    for (const auto& link : links) {
      Experiment one{.id = link.empty() ? source.id : fmt::format("{}/{}", source.id, link),
                     .source = &source,
                     .link = link,
                     .contestants = {},
                     .absent = {}};
      for (const auto& contestant : source.record.contestants) {
        const bool nowhere = !source.record.environment.links.contains(contestant.link);
        if (contestant.link != link && !(nowhere && link == links.front())) {
          continue;
        }
        (contestant.ok() && contestant.summary ? one.contestants : one.absent).push_back(&contestant);
      }
      std::ranges::sort(one.contestants, {},
                        [](const auto* contestant) -> const std::string& { return contestant->label; });
      all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace waggle::answers
