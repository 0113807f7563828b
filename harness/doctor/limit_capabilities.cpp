// SPDX-License-Identifier: BSD-2-Clause
#include "harness/doctor/limit_capabilities.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/units.hpp"
#include "datapaths/datapath.hpp"
#include "harness/topology/limits.hpp"

namespace waggle::doctor {
namespace {

using measure::Capability;

constexpr const char* kClients = "--clients";

/// Frames, rings and what is sent without a copy are locked, which only CAP_IPC_LOCK, of root, frees from the limit.
Capability locked_memory() {
  constexpr std::uint64_t kEnough = std::uint64_t{64} << 20U;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const bool unlimited = limit.rlim_cur == RLIM_INFINITY;
  return {.name = "locked memory",
          .need = fmt::format("frames, rings and what is sent without a copy, without root; the limit is {}",
                              unlimited ? "none" : format_bytes(limit.rlim_cur)),
          .required = false,
          .works = ::geteuid() == 0 || limit.rlim_cur >= kEnough,
          .why_not = "frames and buffers that do not fit are refused or copied",
          .remedy = "sudo prlimit --memlock=unlimited --pid=$$"};
}

/// Datapaths that take hugepages as they are by default.
std::vector<std::string_view> users_of_hugepages() {
  std::vector<std::string_view> names;
  for (const Datapath* datapath : datapaths()) {
    const ChannelOptions usual{.link = std::string(datapath->links().front())};
    if (datapath->hugepage_bytes(true, usual) > 0) {
      names.push_back(datapath->name());
    }
  }
  return names;
}

}  // namespace

std::vector<Capability> limit_capabilities() {
  constexpr std::uint64_t kMostClients = 1024;
  constexpr std::uint64_t kHugepage = std::uint64_t{2} << 20U;
  constexpr std::uint64_t kHugepages = std::uint64_t{128} << 20U;
  const auto needs = topology::needs_of_clients(kMostClients);
  const auto files = topology::open_files_limit();
  const Capability open_files{
      .name = "open files",
      .need = fmt::format("{} up to {}; the limit is {}", kClients, format_count(kMostClients), format_count(files)),
      .required = false,
      .works = files >= needs.open_files,
      .why_not = fmt::format("{} clients need {}", format_count(kMostClients), format_count(needs.open_files)),
      .remedy = fmt::format("ulimit -n {}", needs.open_files)};
  const auto enough = topology::check_limits({.open_files = 0, .tasks = needs.tasks},
                                             fmt::format("{} clients", format_count(kMostClients)));
  const auto tasks = topology::task_bound();
  const Capability threads{.name = "threads",
                           .need = fmt::format("{} up to {}; {}", kClients, format_count(kMostClients),
                                               tasks ? format_count(tasks->left()) + " are left in the control group"
                                                     : "no control group limits them"),
                           .required = false,
                           .works = enough.has_value(),
                           .why_not = enough ? "" : enough.error().what,
                           .remedy = enough ? "" : enough.error().hint};
  const auto pages = topology::hugepage_bound(kHugepage);
  const Capability hugepages{
      .name = "hugepages of the control group",
      .need = fmt::format("--datapath={}; {}", fmt::join(users_of_hugepages(), "|"),
                          pages ? format_bytes(pages->left()) + " are left" : "no bound is set"),
      .required = false,
      .works = !pages || pages->left() >= kHugepages,
      .why_not = fmt::format("{} are too few", pages ? format_bytes(pages->left()) : ""),
      .remedy = pages ? fmt::format("echo {} | sudo tee {}", pages->used + kHugepages, pages->file.native()) : ""};
  std::vector<Capability> all{open_files, threads, locked_memory(), hugepages};
  for (Capability& one : all) {
    if (one.works) {
      one.why_not.clear();
      one.remedy.clear();
    }
  }
  return all;
}

}  // namespace waggle::doctor
