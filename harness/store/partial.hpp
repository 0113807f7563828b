// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
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
///
/// Bytes only ever go into a file that create() made itself or, to resume, into one that this user's process left: with
/// this user as its owner, mode 0600 and no other name. Anything else under that name is neither opened nor touched.
class Partial {
 public:
  /// `mode`: permission bits of the finished file, at most 01777; until then they are 0600. `resume`: continue what an
  /// earlier call for the same name and size kept; otherwise, or when there is none, start with an empty file.
  /// Fault::busy when somebody writes it now, Fault::no_space when `size` cannot fit.
  static Result<Partial> create(Place place, std::uint64_t size, std::uint32_t mode, bool resume);
  Partial(Partial&& other) noexcept = default;
  Partial& operator=(Partial&& other) = delete;
  ~Partial();

  const SharedFd& file() const { return file_; }
  /// It holds what an earlier call left.
  bool resumed() const { return resumed_; }
  /// Gives the file its name, replacing the file that had it (Fault::exists when it is none); `durable`: only after its
  /// bytes are on disk, and the name as well. Content is the caller's to verify; Fault::corrupt when not even the size
  /// is right.
  Result<> commit(bool durable);
  /// Leaves the file for a later resume. False when it cannot be found again, because something else has its name; then
  /// it is removed.
  bool keep();

 private:
  Partial(Place place, std::string temporary, UniqueFd file);
  static Result<UniqueFd> make(const Place& place, const std::string& temporary);
  Result<> prepare(std::uint64_t size, std::uint32_t mode, const struct stat& left, bool sparse);
  Result<> check_room(std::uint64_t already) const;
  Result<> publish() const;
  Result<> check_name() const;

  Place place_;
  std::string temporary_;
  SharedFd file_;
  std::uint64_t size_ = 0;
  std::uint32_t mode_ = 0;
  bool resumed_ = false;
  bool committed_ = false;
  bool kept_ = false;
};

/// Removes partial files below `directory` that this user's processes left (see take_leftover), that nobody writes and
/// that are older than `age`; returns how many.
Result<std::size_t> sweep_partials(int directory, std::chrono::seconds age, const std::stop_token& stop);

}  // namespace waggle::store
