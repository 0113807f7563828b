// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/rooted_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "harness/store/connection.hpp"

namespace waggle::store {

RootedStore::RootedStore(std::shared_ptr<Served> served) : served_(std::move(served)) {}

Result<RootedStore> RootedStore::open(const std::filesystem::path& directory, const StoreOptions& options) {
  UniqueFd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    return fail_errno(fmt::format("cannot open the directory '{}'", directory.native()), errno,
                      "name an existing directory");
  }
  if (const auto probe = open_beneath(root.get(), "", O_PATH | O_DIRECTORY); !probe) {
    return probe.error().system == ENOSYS
               ? fail(Fault::missing, "this kernel has no openat2, which keeps clients inside the served directory",
                      "use Linux 5.6 or later")
               : std::unexpected(probe.error());
  }
  return RootedStore(std::make_shared<Served>(std::move(root), options.digest_cache_bytes));
}

std::unique_ptr<protocol::FileService> RootedStore::connect() const {
  return std::make_unique<Connection>(served_);
}

Result<std::size_t> RootedStore::sweep(std::chrono::seconds age, const std::stop_token& stop) const {
  return sweep_partials(served_->root.get(), age, stop);
}

}  // namespace waggle::store
