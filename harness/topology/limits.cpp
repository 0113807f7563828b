// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/limits.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/units.hpp"

namespace waggle::topology {
namespace {

namespace fs = std::filesystem;

/// What a process has open besides what is counted per client.
constexpr std::uint64_t kOwnFiles = 64;
/// A socket, a file, one of them twice for a moment, and the pipe of a mover that splices; 6.1 were measured.
constexpr std::uint64_t kFilesPerClient = 7;
/// The harness, its agents and the threads of drivers.
constexpr std::uint64_t kOwnTasks = 64;
/// One of the server, one of the client and one of its packet carrier.
constexpr std::uint64_t kTasksPerClient = 3;

/// First number of a file; empty when there is no such file, or it says "max".
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::uint64_t value = 0;
  return std::ifstream(file) >> value ? std::optional(value) : std::nullopt;
}

/// The directories of this process's groups for `controller`, from the innermost one out.
std::vector<fs::path> groups_of(std::string_view controller, const fs::path& root) {
  std::vector<fs::path> groups;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {  // "4:cpu,cpuacct:/a/b", or "0::/a/b" of version 2
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool named = ("," + controllers + ",").contains("," + std::string(controller) + ",");
    if (!named && !controllers.empty()) {
      continue;
    }
    for (const std::string& mounted :
         named ? std::array{controllers, std::string(controller)} : std::array{std::string(), std::string("unified")}) {
      for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
        groups.push_back(root / "sys/fs/cgroup" / mounted / group);
        if (group.empty()) {
          break;
        }
      }
    }
  }
  return groups;
}

/// Files that say the bound, and what is used of it.
using Names = std::pair<std::string, std::string>;

template <std::size_t kCount>
std::optional<GroupBound> tightest(std::string_view controller, const std::array<Names, kCount>& names,
                                   const fs::path& root) {
  std::optional<GroupBound> found;
  for (const fs::path& group : groups_of(controller, root)) {
    for (const auto& [most, used] : names) {
      if (const auto bound = number_in(group / most)) {
        const GroupBound here{*bound, number_in(group / used).value_or(0), group / most};
        found = !found || here.left() < found->left() ? here : *found;
      }
    }
  }
  return found;
}

/// Threads of all processes of this user.
std::uint64_t tasks_of_user() {
  std::uint64_t tasks = 0;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    struct stat status{};
    if (::stat((process.path() / "task").c_str(), &status) == 0 && status.st_uid == ::getuid()) {
      tasks += std::max<std::uint64_t>(status.st_nlink, 2) - 2;
    }
  }
  return tasks;
}

Result<> check_tasks(std::uint64_t needed, std::string_view what, const fs::path& root) {
  if (const auto bound = task_bound(root); bound && bound->left() < needed) {
    return fail(Fault::missing,
                fmt::format("{} need {} threads, and the control group lets no more than {} start", what,
                            format_count(needed), format_count(bound->left())),
                fmt::format("raise it: echo {} | sudo tee {}", bound->used + needed, bound->file.native()));
  }
  rlimit limit{};
  // Root is not bound by it (man 2 setrlimit).
  if (::geteuid() != 0 && ::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const std::uint64_t used = tasks_of_user();
    if (limit.rlim_cur < used + needed) {
      return fail(Fault::missing,
                  fmt::format("{} need {} threads, and of the user's limit of {} are {} in use", what,
                              format_count(needed), format_count(limit.rlim_cur), format_count(used)),
                  fmt::format("raise it as root: prlimit --nproc={} --pid=$$", used + needed));
    }
  }
  return {};
}

}  // namespace

void raise_limits() {
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_NPROC}) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
      limit.rlim_cur = limit.rlim_max;
      static_cast<void>(::setrlimit(resource, &limit));
    }
  }
}

std::uint64_t open_files_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::optional<GroupBound> task_bound(const fs::path& root) {
  return tightest("pids", std::array{Names{"pids.max", "pids.current"}}, root);
}

std::optional<GroupBound> hugepage_bound(std::uint64_t page, const fs::path& root) {
  constexpr std::uint64_t kMiB = 1024 * 1024;
  const std::string size = page >= 1024 * kMiB ? fmt::format("{}GB", page / (1024 * kMiB))
                           : page >= kMiB      ? fmt::format("{}MB", page / kMiB)
                                               : fmt::format("{}KB", page / 1024);
  const std::string prefix = "hugetlb." + size;
  return tightest(
      "hugetlb",
      std::array{Names{prefix + ".max", prefix + ".current"}, Names{prefix + ".rsvd.max", prefix + ".rsvd.current"},
                 Names{prefix + ".limit_in_bytes", prefix + ".usage_in_bytes"}},
      root);
}

Needs needs_of_clients(std::uint64_t clients) {
  return {kOwnFiles + kFilesPerClient * clients, kOwnTasks + kTasksPerClient * clients};
}

Result<> check_limits(const Needs& needs, std::string_view what, const fs::path& root) {
  if (const auto most = open_files_limit(); most < needs.open_files) {
    return fail(Fault::missing,
                fmt::format("{} need {} open files in one process, and the limit is {}", what,
                            format_count(needs.open_files), format_count(most)),
                fmt::format("raise it: ulimit -n {}", needs.open_files));
  }
  return check_tasks(needs.tasks, what, root);
}

}  // namespace waggle::topology
