// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/space.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "base/units.hpp"

namespace waggle::experiment {
namespace {

constexpr std::uint64_t kTooMuch = std::numeric_limits<std::uint64_t>::max();

std::uint64_t sum(std::uint64_t one, std::uint64_t other) {
  return one > kTooMuch - other ? kTooMuch : one + other;
}

std::uint64_t product(std::uint64_t one, std::uint64_t other) {
  return other != 0 && one > kTooMuch / other ? kTooMuch : one * other;
}

/// What this user may still write below `place`; everything, where its file system does not say.
std::uint64_t free_disk(const std::filesystem::path& place) {
  struct statvfs space{};
  if (::statvfs(place.c_str(), &space) != 0 || space.f_blocks == 0) {
    return kTooMuch;
  }
  return (::geteuid() == 0 ? space.f_bfree : space.f_bavail) * space.f_frsize;
}

/// What a new tmpfs can hold: half of all memory (man 5 tmpfs, size), and no more than can be had without ending
/// others.
std::uint64_t free_memory() {
  struct sysinfo memory{};
  if (::sysinfo(&memory) != 0) {
    return kTooMuch;
  }
  std::uint64_t available = kTooMuch;
  std::ifstream file("/proc/meminfo");
  for (std::string name, rest; file >> name; std::getline(file, rest)) {
    if (std::uint64_t kibibytes = 0; name == "MemAvailable:" && file >> kibibytes) {
      available = kibibytes * 1024 + std::uint64_t{memory.freeswap} * memory.mem_unit;
    }
  }
  return std::min(std::uint64_t{memory.totalram} * memory.mem_unit / 2, available);
}

Result<> check(const std::string& what, std::uint64_t needed, std::uint64_t free, const std::string& hint) {
  return needed <= free
             ? Result<>()
             : fail(Fault::missing,
                    fmt::format("{} need {}, and {} are free", what, format_bytes(needed), format_bytes(free)), hint);
}

}  // namespace

Result<SpaceNeeded> space_needed(const Spec& spec) {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  const std::uint64_t made = spec.file ? 0 : workload->makes(spec.parameters);
  const std::uint64_t received = product(workload->fills(spec.parameters), spec.parameters.clients);
  return SpaceNeeded{.disk = spec.sink == Sink::file ? sum(made, received) : made,
                     .memory = spec.sink == Sink::tmpfs ? received : 0};
}

Result<> check_space(const Spec& spec) {
  WAGGLE_LET(needed, space_needed(spec));
  WAGGLE_TRY(check(fmt::format("the files of this experiment in {}", spec.work.string()), needed.disk,
                   free_disk(spec.work), "make less or smaller ones, or choose another place with --work"));
  return check("the files that are received into a tmpfs", needed.memory, free_memory(),
               "make less or smaller ones, or choose --sink=file");
}

}  // namespace waggle::experiment
