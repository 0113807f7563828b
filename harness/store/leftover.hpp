// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "harness/store/pinned.hpp"

/// Unfinished files: how they are named, and how one that somebody left is told from a file that only has such a name.
namespace waggle::store {

/// ".waggle-" + 32 hexadecimal digits + ".part": the name under which `name` is written until it is whole, always the
/// same one, so that it can be found again.
std::string partial_name_of(std::string_view name);
/// A name of the same shape that nobody can guess.
std::string private_partial_name();
/// Has exactly the shape of the names above. Clients see none of a wider kind, see is_partial_name().
bool has_partial_shape(std::string_view name);

/// What a name turned out to be that an unfinished file may have.
struct Leftover {
  enum class Kind {
    gone,     ///< nothing has the name any more
    foreign,  ///< another user's, or it has another name too, or it is no regular file: neither opened nor touched
    busy,     ///< ours, and being written
    ours      ///< locked by us until `file` is closed; has this name and no other
  };
  Kind kind = Kind::gone;
  UniqueFd file;  ///< of ours: open for reading and writing
  struct stat status{};
};
/// Finds out, and takes it when it is ours and nobody writes it.
Result<Leftover> take_leftover(int directory, const std::string& name);
/// Removes what was taken. Nothing else: should another file have come under its name, that one gets it back.
Result<> remove_leftover(int directory, const std::string& name, const Leftover& taken);

/// Removes what broken uploads left in a directory that holds nothing else. Fault::busy when one of them is being
/// written, Fault::exists when there is anything that is not ours to remove; then nothing is.
Result<> clear_leftovers(int directory);

}  // namespace waggle::store
