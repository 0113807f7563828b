// SPDX-License-Identifier: BSD-2-Clause
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/topology/page_cache.hpp"
#include "workloads/workload.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Has the machine back `bytes` of its free memory: a hypervisor that takes back free pages makes the first write to
/// each of them slower than any copy (docs/measuring.md). At most half of what is free; failing costs only that.
void prime(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto half_free = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * page / 2;
  const std::size_t length = std::min(bytes, half_free) / page * page;
  if (length == 0) {
    return;
  }
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  ::madvise(memory, length, MADV_HUGEPAGE);  // so that a sink with huge pages finds whole ones
  ::madvise(memory, length, MADV_POPULATE_WRITE);
  ::munmap(memory, length);
}

class FilesAgent final : public AgentRole {
 public:
  Result<json> handle(const std::string& what, const json& request) override {
    if (what == "make") {
      WAGGLE_LET(workload, workloads::find_workload(request.at("workload").get<std::string>()));
      WAGGLE_TRY(workload->make_files(parameters_from_json(request.at("parameters")),
                                      request.at("served").get<std::string>(), request.at("local").get<std::string>()));
      return json::object();
    }
    if (what == "warm" || what == "chill") {
      const std::filesystem::path path = request.at("path").get<std::string>();
      WAGGLE_LET(now, what == "warm" ? topology::warm(path) : topology::chill(path));
      return json{{"state", now.state()}};
    }
    if (what == "prime") {
      prime(request.at("bytes"));
      return json::object();
    }
    return fail(Fault::protocol, "a files agent cannot '" + what + "'");
  }
};

}  // namespace

Result<Started> start_files(const json&) {
  return Started{std::make_unique<FilesAgent>(), std::make_unique<json>(json::object())};
}

}  // namespace waggle::experiment
