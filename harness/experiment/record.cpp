// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/record.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/unique_fd.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/summary.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

json pair_json(const Spec& spec, const PairRecord& pair) {
  json entry{{"label", pair.pair.label()},
             {"sender", pair.pair.sender},
             {"receiver", pair.pair.receiver},
             {"link", pair.pair.link},
             {"status", pair.unavailable ? "unavailable"
                        : pair.problem   ? "failed"
                                         : "ok"},
             {"runs", pair.runs}};
  if (pair.problem) {
    entry["reason"] = pair.problem->what;
    entry["hint"] = pair.problem->hint;
    entry["fault"] = name(pair.problem->fault);
  }
  if (pair.probe_problem) {
    entry["probe_problem"] = *pair.probe_problem;
  }
  if (!pair.facts.is_null()) {
    entry["facts"] = pair.facts;
  }
  if (!pair.model.is_null()) {
    entry["model"] = pair.model;
  }
  if (!pair.problem) {
    entry["summary"] = summarise(pair.runs, pair.model, spec.parameters.clients, pair.stopped);
  }
  return entry;
}

Result<> write_all(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return fail_errno(fmt::format("cannot write the record {}", path.string()), errno,
                        "choose another place with --output");
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return {};
}

Result<> write_to(const std::filesystem::path& path, int flags, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0644));
  if (!file) {
    return fail_errno(fmt::format("cannot write the record {}", path.string()), errno,
                      "choose another place with --output");
  }
  return write_all(file.get(), text, path);
}

}  // namespace

json build_record(const Spec& spec, const RecordFrame& frame, const std::vector<PairRecord>& pairs) {
  json entries = json::array();
  for (const PairRecord& pair : pairs) {
    entries.push_back(pair_json(spec, pair));
  }
  return {{"schema", "waggle-record/1"},
          {"created", frame.created},
          {"finished", timestamp()},
          {"command_line", spec.command_line},
          {"git", frame.git},
          {"workload", frame.workload},
          {"spec", to_json(spec)},
          {"environment", frame.environment},
          {"pairs", entries}};
}

std::string timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

Result<> write_record(const std::filesystem::path& path, const json& record) {
  const std::string text = record.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return write_to(path, 0, text);
  }
  std::filesystem::path partial = path;
  partial += fmt::format(".{}.part", ::getpid());
  auto written = write_to(partial, O_CREAT | O_EXCL, text);
  if (written && std::rename(partial.c_str(), path.c_str()) != 0) {
    written = fail_errno(fmt::format("cannot write the record {}", path.string()));
  }
  if (!written) {
    std::filesystem::remove(partial, ignored);
  }
  return written;
}

}  // namespace waggle::experiment
