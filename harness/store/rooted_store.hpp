// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>

#include "base/result.hpp"
#include "protocol/file_service.hpp"

/// Where the served files are: one directory, and nothing outside it.
namespace waggle::store {

struct StoreOptions {
  /// Bytes that known digests may take, in all connections together: about 190 for a small file, and 16 (XXH3) or 32
  /// (SHA-256) for each 256 KiB of a larger one.
  std::size_t digest_cache_bytes = std::size_t{24} * 1024 * 1024;
};

struct Served;

/// The served directory, shared by all connections of a process: they have their digests in common. Copies are cheap
/// and mean the same directory.
///
/// Every path is resolved by openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, so neither "..", nor absolute
/// paths, nor symbolic links, nor a directory that is swapped meanwhile lead out of it (Fault::denied). Only regular
/// files and directories are ever handed out. Partial uploads (".waggle-….part") are invisible to clients.
class RootedStore {
 public:
  /// Fault::missing when the kernel has no openat2 (Linux 5.6), Fault::not_found when there is no such directory.
  static Result<RootedStore> open(const std::filesystem::path& directory, const StoreOptions& options = {});

  /// The service for one connection, for one thread at a time. Keeps the directory open for itself.
  std::unique_ptr<protocol::FileService> connect() const;

  /// Removes partial uploads that nobody is writing and that were last written longer ago than `age`, in the whole
  /// tree, without leaving the file system or following links. Returns how many; ends early when `stop` is asked for.
  Result<std::size_t> sweep(std::chrono::seconds age, const std::stop_token& stop = {}) const;

 private:
  explicit RootedStore(std::shared_ptr<Served> served);
  std::shared_ptr<Served> served_;
};

}  // namespace waggle::store
