// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "harness/record/record.hpp"

namespace waggle::record {

/// Writes a record whole or not at all, and over nothing: into a file beside it, which then gets its name. Returns the
/// name that it got: `path`, or where that is taken the first free one of "NAME-2.json", "NAME-3.json" … What is no
/// regular file (a pipe, a terminal, /dev/null) is written to as it is. A record that is whole but cannot have its name
/// stays beside it, and the error says where.
Result<std::filesystem::path> write_record(const std::filesystem::path& path, const nlohmann::json& record);

/// A record, gzipped or not, or what claims to be one: any object whose "schema" is "waggle-record/…". Fault::corrupt
/// for something else.
Result<nlohmann::json> read_document(const std::filesystem::path& path);

/// Whether a file is whole JSON that does not call itself a record: what may lie beside records and is none of them.
bool is_other_json(const std::filesystem::path& path);

/// A record of this version or of version 1. Fault::corrupt for what is none, is of another version or is not whole.
Result<Record> read_record(const std::filesystem::path& path);

}  // namespace waggle::record
