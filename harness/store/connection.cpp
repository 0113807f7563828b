// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "harness/store/attributes.hpp"
#include "harness/store/beneath.hpp"

namespace waggle::store {

using protocol::Attributes;
using protocol::FileId;

Connection::~Connection() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].in_use()) {
      close(i + 1, false);
    }
  }
}

Connection::Opened Connection::add(OpenFile file, const struct stat& status) {
  file.device = status.st_dev;
  file.inode = status.st_ino;
  file.stamp = stamp_of(status);
  file.content = ContentWatch(status);
  if (file.writable) {
    served_->digests.begin_writing(file.device, file.inode);
  }
  if (unused_.empty()) {
    files_.push_back(std::move(file));
    return {.file = files_.size(), .attributes = attributes_of(status)};
  }
  const std::size_t index = unused_.back();
  unused_.pop_back();
  files_[index] = std::move(file);
  return {.file = index + 1, .attributes = attributes_of(status)};
}

Result<Connection::OpenFile*> Connection::find(FileId file) {
  if (file == 0 || file > files_.size() || !files_[file - 1].in_use()) {
    return fail(Fault::io, fmt::format("there is no open file {}", file));
  }
  return &files_[file - 1];
}

namespace {

/// A file of proc or sysfs has no size that would tell where it ends: half of it could pass for all.
Result<> check_size(int file, const struct stat& status, std::string_view path) {
  if (!S_ISREG(status.st_mode)) {
    return {};
  }
  char first = 0;
  struct stat now{};
  const bool more_than_it_says =
      status.st_size == 0 && ::pread(file, &first, 1, 0) == 1 && ::fstat(file, &now) == 0 && now.st_size == 0;
  if (more_than_it_says || is_made_up(file, status)) {
    return fail(Fault::denied, fmt::format("'{}' has no known size: the kernel makes it up while it is read", path),
                "copy it into a file on the server, and fetch that");
  }
  return {};
}

}  // namespace

Result<Connection::Opened> Connection::open(std::string_view path, bool writable) {
  WAGGLE_LET(pinned, pin_beneath(root(), path));
  WAGGLE_LET(fd, reopen_beneath(root(), path, pinned, writable ? O_RDWR : O_RDONLY));
  WAGGLE_TRY(check_size(fd.get(), pinned.status, path));
  OpenFile file;
  file.fd = SharedFd(std::move(fd));
  file.writable = writable;
  return add(std::move(file), pinned.status);
}

Result<Connection::Opened> Connection::create(std::string_view path, std::uint64_t size, std::uint32_t mode,
                                              bool resume) {
  WAGGLE_LET(place, file_place_beneath(root(), path));
  WAGGLE_LET(partial, Partial::create(std::move(place), size, mode, resume));
  struct stat status{};
  if (::fstat(partial.file().get(), &status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", path));
  }
  OpenFile file;
  file.partial = std::make_unique<Partial>(std::move(partial));
  file.writable = true;
  return add(std::move(file), status);
}

Result<> Connection::commit(FileId file, bool durable) {
  WAGGLE_LET(open, find(file));
  if (!open->partial) {
    return fail(Fault::protocol, "only an upload can be committed");
  }
  return open->partial->commit(durable);
}

void Connection::close(FileId file, bool keep) {
  const auto open = find(file);
  if (!open) {
    return;
  }
  if ((*open)->writable) {
    served_->digests.end_writing((*open)->device, (*open)->inode);
  }
  if ((*open)->partial && keep) {
    (*open)->partial->keep();
  }
  (*open)->fd.reset();
  (*open)->partial.reset();
  unused_.push_back(file - 1);
}

Result<Attributes> Connection::attributes(FileId file) {
  WAGGLE_LET(open, find(file));
  struct stat status{};
  if (::fstat(open->descriptor(), &status) != 0) {
    return fail_errno("cannot look at the open file");
  }
  open->stamp = stamp_of(status);
  open->looked_at = true;
  Attributes attributes = attributes_of(status);
  attributes.version = open->content.version(open->descriptor(), status, reader_);
  return attributes;
}

Result<> Connection::sync(FileId file) {
  WAGGLE_LET(open, find(file));
  if (::fsync(open->descriptor()) != 0) {
    return fail_errno("cannot bring the file to disk");
  }
  return {};
}

void Connection::sent(FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind, const Digest& root) {
  if (const auto open = find(file); open && length != 0) {
    (*open)->content.sent(offset, length, kind, root);
  }
}

SharedFd Connection::descriptor(FileId file) const {
  return file == 0 || file > files_.size() ? SharedFd() : files_[file - 1].shared();
}

Result<FileStamp> Connection::stamp_now(OpenFile& file) const {
  // A session asks for attributes and then for the digest: one look is enough for both.
  if (!std::exchange(file.looked_at, false)) {
    struct stat status{};
    if (::fstat(file.descriptor(), &status) != 0) {
      return fail_errno("cannot look at the open file");
    }
    file.stamp = stamp_of(status);
  }
  return file.stamp;
}

namespace {

/// Blocks of an extent are blocks of the file when it starts at one and ends at one, or with the file.
bool covers_whole_blocks(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset % kDigestBlock == 0 && (length % kDigestBlock == 0 || offset + length == size);
}

/// Times that a range is read while the file's time of change moves.
constexpr int kMostReadings = 3;

std::size_t blocks_in(std::uint64_t length) {
  return (length + kDigestBlock - 1) / kDigestBlock;
}

}  // namespace

Result<Digest> Connection::known_digest(FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind) {
  WAGGLE_LET(open, find(file));
  if (length == 0) {
    return digest_of(kind, {});
  }
  WAGGLE_LET(stamp, stamp_now(*open));
  if (!open->writable && covers_whole_blocks(offset, length, stamp.size)) {
    const auto root =
        served_->digests.root({open->device, open->inode, kind}, stamp, offset / kDigestBlock, blocks_in(length));
    if (root) {
      return *root;
    }
  }
  return fail(Fault::not_found, "the digest is not known yet");
}

Result<std::vector<Digest>> Connection::read_digests(OpenFile& file, std::uint64_t offset, std::uint64_t length,
                                                     DigestKind kind, const std::vector<std::optional<Digest>>& known) {
  std::vector<Digest> result;
  result.reserve(blocks_in(length));
  for (std::uint64_t position = 0; position < length; position += kDigestBlock) {
    if (!known.empty() && known[result.size()]) {
      result.push_back(*known[result.size()]);
      continue;
    }
    const std::uint64_t block = block_length(position, length);
    WAGGLE_LET(digest, file.partial ? reader_.digest_sparse(file.descriptor(), offset + position, block, kind)
                                    : reader_.digest(file.descriptor(), offset + position, block, kind));
    result.push_back(digest);
  }
  return result;
}

Result<std::vector<Digest>> Connection::digests(FileId file, std::uint64_t offset, std::uint64_t length,
                                                DigestKind kind) {
  WAGGLE_LET(open, find(file));
  const FileKey key{open->device, open->inode, kind};
  std::vector<Digest> last;
  for (int attempt = 0;; ++attempt) {
    open->looked_at = false;
    WAGGLE_LET(before, stamp_now(*open));
    if (offset > before.size || length > before.size - offset) {
      return fail(Fault::changed, fmt::format("the file has only {} bytes", before.size),
                  "try again when nobody changes it");
    }
    const std::size_t first = offset / kDigestBlock;
    const bool cacheable = !open->writable && covers_whole_blocks(offset, length, before.size);
    std::vector<std::optional<Digest>> known;
    if (cacheable) {
      known = served_->digests.blocks(key, before, first, blocks_in(length));
    }
    WAGGLE_LET(result, read_digests(*open, offset, length, kind, known));
    WAGGLE_LET(after, stamp_now(*open));
    if (after == before) {
      if (cacheable) {
        served_->digests.insert(key, after, first, result);
      }
      return result;
    }
    // Its name or mode may be all that has changed, which reading it once more will tell.
    if (result == last) {
      return result;
    }
    if (after.size != before.size || after.modified_ns != before.modified_ns || attempt == kMostReadings) {
      return fail(Fault::changed, "the file was changed while it was read", "try again when nobody changes it");
    }
    last = std::move(result);
  }
}

}  // namespace waggle::store
