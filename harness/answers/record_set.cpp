// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/record_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <tuple>

#include "harness/record/file.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::string place;  ///< as it may be shown
  bool named = false;
};

Result<std::vector<fs::path>> records_below(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".json" && at->is_regular_file(error)) {
      paths.push_back(at->path());
    }
  }
  if (error) {
    return fail_errno(fmt::format("cannot read {}", folder.native()), error.value(),
                      "name files or folders of records");
  }
  std::ranges::sort(paths);
  return paths;
}

/// Adds a record that was read; of one that was found before nothing changes.
class Collected {
 public:
  void add(const fs::path& path, record::Record record) {
    const auto text = record::to_json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (seen_.insert(text).second) {
      texts_.push_back(text);
      set_.sources.push_back(
          {.id = {}, .file = path.filename().native(), .record = record::printable(std::move(record))});
    }
  }
  void leave_out(std::string line) { set_.left_out.push_back(std::move(line)); }

  /// By when they were made, and where that is the same by what they hold: not by where they were found.
  RecordSet in_order() && {
    std::vector<std::size_t> order(set_.sources.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::ranges::sort(order, {}, [&](std::size_t i) {
      const auto& source = set_.sources[i];
      return std::tie(source.record.created, source.file, texts_[i]);
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

 private:
  RecordSet set_;
  std::set<std::string> seen_;
  std::vector<std::string> texts_;
};

/// Other JSON may lie in a folder of records, and is no record that is broken.
bool is_no_record(const fs::path& path) {
  return !record::read_document(path);
}

Result<> add_folder(Collected& all, const fs::path& folder) {
  WAGGLE_LET(paths, records_below(folder));
  for (const auto& path : paths) {
    auto record = record::read_record(path);
    if (record) {
      all.add(path, *std::move(record));
    } else if (!is_no_record(path)) {
      all.leave_out(record.error().what);
    }
  }
  return {};
}

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
      WAGGLE_TRY(add_folder(all, place));
      continue;
    }
    WAGGLE_LET(record, record::read_record(place));
    all.add(place, std::move(record));
  }
  if (all.empty()) {
    return fail(Fault::usage, fmt::format("there is no record in {}", fmt::join(places, ", ")),
                "make some with run, compare or suite");
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
