// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/hugepages.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string>

#include "base/unique_fd.hpp"
#include "harness/topology/limits.hpp"

namespace waggle::topology {
namespace {

constexpr std::string_view kNote = "hugepages";

/// A line of /proc/meminfo.
std::optional<std::uint64_t> memory_info(std::string_view wanted) {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::uint64_t value = 0;
  while (meminfo >> name >> value) {
    if (name == wanted) {
      return value;
    }
    meminfo.ignore(64, '\n');
  }
  return std::nullopt;
}

/// Pages of the default size, on one NUMA node or on all.
class PagePool {
 public:
  static Result<PagePool> of(int node) {
    const auto size = memory_info("Hugepagesize:");
    if (!size) {
      return fail(Fault::missing, "this kernel has no hugepages", "use one with CONFIG_HUGETLBFS");
    }
    const std::string folder = fmt::format("hugepages/hugepages-{}kB", *size);
    return PagePool(*size, node < 0 ? fmt::format("/sys/kernel/mm/{}", folder)
                                    : fmt::format("/sys/devices/system/node/node{}/{}", node, folder));
  }

  std::uint64_t kibibytes() const { return kibibytes_; }
  /// All pages that there are. Those that were given back while in use are among them until their user ends, as
  /// surplus.
  std::uint64_t all() const { return read("nr_hugepages"); }
  /// All without the surplus: what set() sets.
  std::uint64_t total() const {
    for (std::uint64_t pages = all();;) {
      const std::uint64_t surplus = read("surplus_hugepages");
      const std::uint64_t again = all();
      if (again == pages) {  // otherwise both have changed in between
        return pages - std::min(pages, surplus);
      }
      pages = again;
    }
  }
  std::string file() const { return (folder_ / "nr_hugepages").string(); }
  /// Free and promised to nobody.
  std::uint64_t free() const {
    const std::uint64_t unused = read("free_hugepages");
    return unused - std::min(unused, read("resv_hugepages"));
  }

  /// Held by whoever looks at the pool and then sets it, in any process: two that do so at a time would take, or give
  /// back, the same pages.
  UniqueFd lock() const {
    UniqueFd fd(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
    ::flock(fd.get(), LOCK_EX);
    return fd;
  }
  /// The kernel does what it can: total() says what that was.
  bool set(std::uint64_t pages) const {
    std::ofstream out(file());
    out << pages << std::flush;
    return out.good();
  }

 private:
  PagePool(std::uint64_t kibibytes, std::filesystem::path folder) : kibibytes_(kibibytes), folder_(std::move(folder)) {}

  std::uint64_t read(const char* file) const {
    std::uint64_t value = 0;
    std::ifstream(folder_ / file) >> value;
    return value;
  }

  std::uint64_t kibibytes_;
  std::filesystem::path folder_;
};

/// What was, or is about to be, added to a pool.
struct Note {
  int node = -1;
  std::uint64_t before = 0;  ///< pages in the pool
  std::uint64_t added = 0;

  static std::optional<Note> read(const std::filesystem::path& work) {
    Note note;
    std::ifstream in(work / kNote);
    return in >> note.node >> note.before >> note.added ? std::optional(note) : std::nullopt;
  }
  bool write(const std::filesystem::path& work) const {
    std::ofstream out(work / kNote);
    out << node << ' ' << before << ' ' << added << '\n' << std::flush;
    return out.good();
  }
};

std::unexpected<Error> too_few(const PagePool& pool, std::uint64_t pages, std::uint64_t total, std::string_view why) {
  return fail(
      Fault::missing,
      fmt::format("{} hugepages of {} KiB are needed and {} are free: {}", pages, pool.kibibytes(), pool.free(), why),
      fmt::format("reserve them: echo {} | sudo tee {}", total, pool.file()));
}

}  // namespace

Result<Hugepages> Hugepages::reserve(std::uint64_t bytes, const std::filesystem::path& work, int node) {
  WAGGLE_LET(pool, PagePool::of(node));
  const std::uint64_t page = pool.kibibytes() * 1024;
  const std::uint64_t pages = (bytes + page - 1) / page;
  const auto mode = [&](std::uint64_t granted) {
    return Mode{"hugepages", fmt::format("{} x {} KiB", pages, pool.kibibytes()),
                fmt::format("{} x {} KiB", granted, pool.kibibytes())};
  };
  if (const auto bound = hugepage_bound(page); bound && bound->left() < pages * page) {
    // The kernel would promise them and kill whoever touches them (hugetlb-cgroup: SIGBUS).
    return fail(Fault::missing,
                fmt::format("{} hugepages of {} KiB are needed, and the control group lets no more than {} be used",
                            pages, pool.kibibytes(), bound->left() / page),
                fmt::format("raise it: echo {} | sudo tee {}", bound->used + pages * page, bound->file.native()));
  }
  Hugepages reserved({}, mode(pages));  // before the lock, which it takes itself when it gives back
  const UniqueFd lock = pool.lock();
  const std::uint64_t all = pool.all();
  const std::uint64_t free = pool.free();
  // Whose the free ones are nobody can tell: another one may be about to use them, or to give them back.
  const auto spare = [&](std::string_view why) -> Result<Hugepages> {
    return free >= pages ? Result<Hugepages>(std::move(reserved)) : too_few(pool, pages, all + pages - free, why);
  };
  // The kernel would try, and take every page that anybody could spare.
  if (pages * pool.kibibytes() > memory_info("MemAvailable:").value_or(~std::uint64_t{0} / 1024)) {
    return spare("there is not that much memory");
  }
  // Noted before it is done: whoever finds the note takes away no more than was added.
  // Surplus pages would be made ours first, which makes none free.
  Note note{.node = node, .before = pool.total(), .added = 0};
  note.added = all + pages - note.before;
  if (!note.write(work)) {
    return fail_errno(fmt::format("cannot write {}", (work / kNote).string()));
  }
  if (!pool.set(all + pages)) {
    std::error_code ignored;
    std::filesystem::remove(work / kNote, ignored);
    return spare(::geteuid() == 0 ? "the system lets nobody here reserve more" : "only root may reserve more");
  }
  reserved.work_ = work;
  // Done for sure: others may add and take away meanwhile, which changes nothing about what is ours.
  note.added = pool.total() - std::min(pool.total(), note.before);
  note.before = 0;
  if (!note.write(work)) {
    return fail_errno(fmt::format("cannot write {}", (work / kNote).string()));
  }
  if (pool.free() < pages) {
    return too_few(pool, pages, all + pages - free, "the kernel finds no more memory in one piece");
  }
  return reserved;
}

Result<std::uint64_t> Hugepages::give_back(const std::filesystem::path& work) {
  const auto note = Note::read(work);
  if (!note) {
    return 0;
  }
  WAGGLE_LET(pool, PagePool::of(note->node));
  const UniqueFd lock = pool.lock();
  const std::uint64_t now = pool.total();
  const std::uint64_t pages = std::min(note->added, now - std::min(now, note->before));
  if (pages > 0 && !pool.set(now - pages)) {
    return fail(Fault::denied, fmt::format("cannot give back {} hugepages", pages),
                fmt::format("run: echo {} | sudo tee {}", now - pages, pool.file()));
  }
  std::error_code ignored;
  std::filesystem::remove(work / kNote, ignored);
  return pages;
}

Hugepages::~Hugepages() {
  if (!work_.empty()) {
    (void)give_back(work_);
  }
}

}  // namespace waggle::topology
