// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/shared_progress.hpp"

#include <sys/mman.h>

namespace waggle::experiment {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

void SharedProgress::Unmap::operator()(Progress* progress) const {
  ::munmap(progress, sizeof(Progress));
}

Result<SharedProgress> SharedProgress::create() {
  UniqueFd fd(::memfd_create("waggle-progress", MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), sizeof(Progress)) != 0) {
    return fail_errno("cannot make shared memory");
  }
  const int number = fd.get();
  WAGGLE_LET(shared, map(number, std::move(fd)));
  new (shared.progress_.get()) Progress;
  return shared;
}

Result<SharedProgress> SharedProgress::open(int fd) {
  return map(fd, UniqueFd());
}

Result<SharedProgress> SharedProgress::map(int fd, UniqueFd owned) {
  // Populated at once: page faults of the measured window belong to the datapath.
  void* memory = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (memory == MAP_FAILED) {
    return fail_errno("cannot map shared memory");
  }
  SharedProgress shared;
  shared.fd_ = std::move(owned);
  shared.progress_.reset(static_cast<Progress*>(memory));
  return shared;
}

}  // namespace waggle::experiment
