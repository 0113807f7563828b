// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/block_reader.hpp"

#include <unistd.h>

namespace waggle::store {

Result<Digest> BlockReader::digest(int file, std::uint64_t offset, std::uint64_t length, DigestKind kind) {
  if (buffer_ == nullptr) {
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(kDigestBlock);
  }
  std::uint64_t have = 0;
  while (have < length) {
    const ssize_t got = ::pread(file, buffer_.get() + have, length - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno != EINTR) {
      return fail_errno("cannot read the file to digest it");
    }
    if (got == 0) {
      return fail(Fault::changed, "the file became shorter while it was read", "try again when nobody changes it");
    }
    have += got > 0 ? static_cast<std::uint64_t>(got) : 0;
  }
  return digest_of(kind, ByteView(buffer_.get(), length));
}

Result<Digest> BlockReader::digest_sparse(int file, std::uint64_t offset, std::uint64_t length, DigestKind kind) {
  off_t data = ::lseek(file, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0 && errno == ENXIO) {  // nothing but a hole up to the end
    data = ::lseek(file, 0, SEEK_END);
  }
  if (data < 0 || static_cast<std::uint64_t>(data) < offset + length) {
    return digest(file, offset, length, kind);
  }
  if (!zeros_ || zeros_->length != length || zeros_->kind != kind) {
    WAGGLE_LET(read, digest(file, offset, length, kind));
    zeros_ = Zeros{.length = length, .kind = kind, .digest = read};
  }
  return zeros_->digest;
}

}  // namespace waggle::store
