// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/page_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <vector>

#include "base/unique_fd.hpp"

namespace waggle::topology {
namespace {

constexpr std::uint64_t kWindow = 64 * 1024 * 1024;  // mapped at once: bounds the residency vector

/// Calls `visit` with a descriptor and the size of the file, or of each regular file below the directory.
Result<> for_each_file(const std::filesystem::path& path, const std::function<Result<>(int, std::uint64_t)>& visit) {
  const auto one = [&](const std::filesystem::path& file) -> Result<> {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
      return fail_errno(fmt::format("cannot open {}", file.string()));
    }
    return visit(fd.get(), static_cast<std::uint64_t>(status.st_size));
  };
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return one(path);
  }
  for (std::filesystem::recursive_directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file(error) && !entry->is_symlink(error)) {
      WAGGLE_TRY(one(entry->path()));
    }
  }
  return error ? fail_errno(fmt::format("cannot look into {}", path.string()), error.value()) : Result<>{};
}

Result<> add_residency(int fd, std::uint64_t size, Residency& sum) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> states;
  for (std::uint64_t offset = 0; offset < size; offset += kWindow) {
    const std::uint64_t length = std::min(kWindow, size - offset);
    void* map = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (map == MAP_FAILED) {
      return fail_errno("cannot map a file to see whether it is in memory");
    }
    states.resize((length + page - 1) / page);
    const int seen = ::mincore(map, length, states.data());
    ::munmap(map, length);
    if (seen != 0) {
      return fail_errno("cannot see whether a file is in memory");
    }
    sum.pages += states.size();
    sum.resident +=
        static_cast<std::uint64_t>(std::count_if(states.begin(), states.end(), [](auto s) { return (s & 1) != 0; }));
  }
  return {};
}

Result<> drop_all_clean_pages() {
  const UniqueFd file(::open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), "1", 1) != 1) {
    return fail_errno("cannot drop the page cache", errno, "run it with sudo");
  }
  return {};
}

/// Reads the files that are not in memory as a whole.
Result<> read_what_is_missing(const std::filesystem::path& path) {
  std::vector<std::byte> buffer(1024 * 1024);
  return for_each_file(path, [&](int fd, std::uint64_t size) -> Result<> {
    Residency now;
    WAGGLE_TRY(add_residency(fd, size, now));
    if (now.resident == now.pages) {
      return {};
    }
    ssize_t n = 0;
    while ((n = ::read(fd, buffer.data(), buffer.size())) > 0) {
    }
    return n < 0 ? fail_errno("cannot read a file into memory") : Result<>{};
  });
}

}  // namespace

std::string Residency::state() const {
  if (resident == pages) {
    return "warm";
  }
  // Never "100 %" of what is not all of it.
  const double percent = 100.0 * static_cast<double>(resident) / static_cast<double>(pages);
  return resident == 0 ? "cold" : fmt::format("{:.{}f} % warm", std::min(percent, 99.999), percent > 99 ? 3 : 0);
}

Result<Residency> residency(const std::filesystem::path& path) {
  Residency sum;
  WAGGLE_TRY(for_each_file(path, [&](int fd, std::uint64_t size) { return add_residency(fd, size, sum); }));
  return sum;
}

Result<Residency> warm(const std::filesystem::path& path) {
  // While many files are read the kernel may take pages of the first ones back (DAMON_RECLAIM looks for idle ones).
  constexpr int kPasses = 4;
  Residency now;
  for (int pass = 0; pass < kPasses; ++pass) {
    WAGGLE_TRY(read_what_is_missing(path));
    WAGGLE_LET(seen, residency(path));
    now = seen;
    if (now.resident == now.pages) {
      break;
    }
  }
  return now;
}

Result<Residency> chill(const std::filesystem::path& path) {
  WAGGLE_TRY(for_each_file(path, [](int fd, std::uint64_t) -> Result<> {
    // Dirty pages cannot be dropped.
    if (::fdatasync(fd) != 0) {
      return fail_errno("cannot write a file back");
    }
    const int error = ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return error != 0 ? fail_errno("cannot drop a file from memory", error) : Result<>{};
  }));
  WAGGLE_LET(left, residency(path));
  if (left.resident == 0) {
    return left;
  }
  WAGGLE_TRY(drop_all_clean_pages());
  return residency(path);
}

}  // namespace waggle::topology
