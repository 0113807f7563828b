// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "harness/store/pinned.hpp"

namespace waggle::store {

/// Opens `path` below the directory `root` by openat2(2); neither "..", nor an absolute path, nor a link leads out of
/// it. The empty path is `root` itself. `flags` as for open(2); O_CLOEXEC and O_NOCTTY are added.
/// Fault::denied when the path leaves `root`; error texts name only `path`.
Result<UniqueFd> open_beneath(int root, std::string_view path, int flags);

/// Looks at what `path` names without opening it; Fault::denied unless it is a regular file or a directory.
Result<Pinned> pin_beneath(int root, std::string_view path);
/// Opens what pin_beneath() has found.
Result<UniqueFd> reopen_beneath(int root, std::string_view path, const Pinned& pinned, int flags);

/// A place in a directory, for the *at() calls that create, remove or rename: the directory is pinned by its
/// descriptor, and the name is a single component, so nothing can be swapped under it.
struct Place {
  UniqueFd owned;      ///< empty when the directory is the root
  int directory = -1;  ///< O_PATH
  std::string name;    ///< never empty, ".", ".." or with a "/"; not a partial upload's
};

/// Finds the place that `path` names; the last component need not exist and is never followed.
Result<Place> place_beneath(int root, std::string_view path);

/// Finds where the file is, or is to be, that `path` names: as place_beneath(), but links in its last component are
/// followed too. Fault::exists when something else than a regular file is there, Fault::not_found when a link leads
/// nowhere.
Result<Place> file_place_beneath(int root, std::string_view path);

/// What the symbolic link `name` holds.
Result<std::string> read_link(int directory, const std::string& name);

/// Links in a row that are followed, as many as the kernel does (path_resolution(7)).
inline constexpr int kMostLinks = 40;

/// Clients must neither see nor name such a file: the name is kept for partial uploads.
bool is_partial_name(std::string_view name);

}  // namespace waggle::store
