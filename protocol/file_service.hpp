// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "base/shared_fd.hpp"

namespace waggle::protocol {

enum class FileType : std::uint8_t { regular = 1, directory = 2, symlink = 3, other = 4 };

/// What GETATTR tells.
struct Attributes {
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  ///< permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;        ///< bytes
  std::int64_t modified_ns = 0;  ///< since the epoch
  std::int64_t accessed_ns = 0;
  /// Differs whenever content may differ (from inode, size, mtime, ctime). That of an open file stays as long as its
  /// content does, whatever becomes of its name, links and mode.
  std::uint64_t version = 0;
  bool operator==(const Attributes&) const = default;
};

/// What SETATTR changes; absent members stay.
struct AttributeChange {
  bool set_mode = false;
  std::uint32_t mode = 0;
  bool set_owner = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool set_times = false;
  std::int64_t modified_ns = 0;
  std::int64_t accessed_ns = 0;
  bool operator==(const AttributeChange&) const = default;
};

struct DirectoryEntry {
  std::string name;
  Attributes attributes;
  bool operator==(const DirectoryEntry&) const = default;
};

struct DirectoryPage {
  std::vector<DirectoryEntry> entries;
  std::uint64_t next_cookie = 0;  ///< ask again with it; 0 when this was the last page
};

/// An open file of a FileService; the service alone knows what is behind it.
using FileId = std::uint64_t;

/// Bytes of one open file that a service may read again to tell whether what it has sent of it is still so: somebody
/// waits for the answer meanwhile, and others decide how often it is asked for.
inline constexpr std::uint64_t kMostReadAgain = std::uint64_t{4} << 30U;

/// What a ServerSession needs from the files it serves. All paths are relative to the served directory, "/"-separated;
/// implementations refuse every path that leaves it. Blocking; one instance per connection.
class FileService {
 public:
  virtual ~FileService() = default;

  struct Opened {
    FileId file = 0;
    Attributes attributes;
  };
  /// Opens an existing regular file (or directory, for READDIR and GETATTR).
  virtual Result<Opened> open(std::string_view path, bool writable) = 0;
  /// Starts an upload: a temporary file that nobody sees under `path` before commit().
  /// `resume`: continue the temporary file that an earlier, broken upload of the same path, size and mode left.
  virtual Result<Opened> create(std::string_view path, std::uint64_t size, std::uint32_t mode, bool resume) = 0;
  /// Makes an upload visible under its name, atomically; on disk first when `durable`.
  virtual Result<> commit(FileId file, bool durable) = 0;
  /// Closes; an upload that was not committed is removed unless `keep` (for a later resume).
  virtual void close(FileId file, bool keep) = 0;

  virtual Result<Attributes> attributes(FileId file) = 0;
  virtual Result<Attributes> attributes(std::string_view path) = 0;
  virtual Result<Attributes> change(std::string_view path, const AttributeChange& change) = 0;
  virtual Result<> make_directory(std::string_view path, std::uint32_t mode) = 0;
  /// Removes a file or an empty directory.
  virtual Result<> remove(std::string_view path) = 0;
  virtual Result<> rename(std::string_view from, std::string_view to) = 0;
  virtual Result<> truncate(std::string_view path, std::uint64_t size) = 0;
  virtual Result<DirectoryPage> list(std::string_view path, std::uint64_t cookie, std::size_t most_entries) = 0;
  virtual Result<> sync(FileId file) = 0;

  /// Digests of the blocks (kDigestBlock bytes each, counted from `offset`) of an extent, from a cache keyed by the
  /// file's identity and version, or by reading it. Fault::changed when the file ends before the extent does.
  virtual Result<std::vector<Digest>> digests(FileId file, std::uint64_t offset, std::uint64_t length,
                                              DigestKind kind) = 0;
  /// The root digest of an extent when it is known without reading the file; Fault::not_found otherwise.
  virtual Result<Digest> known_digest(FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind) = 0;

  /// The extent has been sent, with this root digest: what attributes() may hold the file's content against.
  virtual void sent([[maybe_unused]] FileId file, [[maybe_unused]] std::uint64_t offset,
                    [[maybe_unused]] std::uint64_t length, [[maybe_unused]] DigestKind kind,
                    [[maybe_unused]] const Digest& root) {}

  /// The descriptor behind an open file, for the datapath, which may hold it for longer than the service keeps the file
  /// open. Empty when `file` is not open.
  virtual SharedFd descriptor(FileId file) const = 0;
};

}  // namespace waggle::protocol
