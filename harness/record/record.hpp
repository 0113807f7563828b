// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/record/contestant.hpp"
#include "harness/record/environment.hpp"

/// What an experiment leaves. In this folder:
/// - names.hpp: words of which there are a few (roles, grades …), printed and parsed by one table each;
/// - figures.hpp, run.hpp, summary.hpp, contestant.hpp, environment.hpp, record.hpp: the types. Each has one
///   description, fields(m, a), from which everything below follows;
/// - archive.hpp: what walks a description: a Reader and a Writer of JSON, and a Cleaner for terminals;
/// - opaque.hpp: members that are kept as they are, since nothing computes with them;
/// - upgrade.hpp: documents of version 1 as those of version 2;
/// - schema_test.cpp holds results/record.schema.json against the descriptions.
/// The room knows nothing of datapaths, probes or tables.
namespace waggle::record {

inline constexpr const char* kSchema = "waggle-record/2";
inline constexpr const char* kSchema1 = "waggle-record/1";  ///< of before parties were a list

struct Record {
  std::string schema = kSchema;
  std::string created;  ///< UTC
  std::string finished;
  std::vector<std::string> command_line;
  std::optional<InSuite> suite;  ///< nothing where no suite asked for it
  Revision git;
  Workload workload;
  Asked spec;
  Environment environment;
  std::optional<Placement> placement;  ///< nothing in records of before it was told
  std::vector<Contestant> contestants;
  std::optional<bool> interrupted = {};  ///< true: it was ended before it had all its runs
  static void fields(auto& m, auto& a) {
    a.member("schema", m.schema);
    a.member("created", m.created);
    a.member("finished", m.finished);
    a.member("command_line", m.command_line);
    a.optional("suite", m.suite);
    a.member("git", m.git);
    a.member("workload", m.workload);
    a.member("spec", m.spec);
    a.member("environment", m.environment);
    a.optional("placement", m.placement);
    a.member("contestants", m.contestants);
    a.optional("interrupted", m.interrupted);
  }
};

/// Whether a document calls itself a record, of this version or of version 1.
bool is_record(const nlohmann::json& document);

/// From a document of this version or of version 1. Fault::corrupt, naming the place and what was expected there.
Result<Record> from_json(const nlohmann::json& document);
nlohmann::json to_json(const Record& record);

/// The record with texts as they may go to a terminal (waggle::printable()).
Record printable(Record record);

}  // namespace waggle::record
