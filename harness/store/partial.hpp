// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "base/shared_fd.hpp"
#include "base/unique_fd.hpp"
#include "harness/store/beneath.hpp"

namespace waggle::store {

/// A file that is not complete yet: ".waggle-….part" in the directory of the name that it will get, so that a rename is
/// all that publishing takes. It is locked (flock) as long as somebody writes it, and removed on destruction unless it
/// was committed or kept. It has its full size from the start (sparse), so blocks can arrive in any order and a
/// later call can tell which of them are right.
class Partial {
 public:
  /// `mode`: permission bits of the finished file, at most 0777. `resume`: continue what an earlier call for the same
  /// name, size and mode kept; otherwise, or when there is none, start with an empty file.
  /// Fault::busy when somebody writes it now, Fault::no_space when `size` cannot fit.
  static Result<Partial> create(Place place, std::uint64_t size, std::uint32_t mode, bool resume);
  Partial(Partial&& other) noexcept = default;
  Partial& operator=(Partial&& other) = delete;
  ~Partial();

  const SharedFd& file() const { return file_; }
  /// It holds what an earlier call left.
  bool resumed() const { return resumed_; }
  /// Gives the file its name, replacing what had it; `durable`: only after its bytes are on disk, and the name as well.
  /// Content is the caller's to verify; Fault::corrupt when not even the size is right.
  Result<> commit(bool durable);
  /// Leave the file for a later resume.
  void keep() { kept_ = true; }

 private:
  Partial(Place place, std::string temporary, UniqueFd file);
  Result<std::optional<struct stat>> status_if_named() const;
  Result<> prepare(const struct stat& status, std::uint64_t size, std::uint32_t mode, bool resume);
  Result<> check_room(std::uint64_t already) const;

  Place place_;
  std::string temporary_;
  SharedFd file_;
  std::uint64_t size_ = 0;
  std::uint32_t mode_ = 0;
  bool resumed_ = false;
  bool committed_ = false;
  bool kept_ = false;
};

/// Removes partial files below `directory` that nobody writes and that are older than `age`; returns how many.
Result<std::size_t> sweep_partials(int directory, std::chrono::seconds age, const std::stop_token& stop);

}  // namespace waggle::store
