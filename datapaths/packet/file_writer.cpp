// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/file_writer.hpp"

#include <algorithm>
#include <cerrno>

namespace waggle::packet {

void FileWriter::write(Inbound& extent, std::uint64_t offset, ByteView payload) {
  const std::uint64_t at = extent.incoming.id.offset + offset;
  if (count_ == kMost || (count_ > 0 && (extent_ != &extent || end_ != at))) {
    flush();
  }
  if (count_ == 0) {
    extent_ = &extent;
    begin_ = at;
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): iovec knows no const
  vectors_[count_++] = {const_cast<std::byte*>(payload.data()), payload.size()};
  end_ = at + payload.size();
}

void FileWriter::flush() {
  std::size_t at = 0;
  while (at < count_ && extent_->sink) {
    const auto put = ::pwritev(extent_->incoming.file, vectors_.data() + at, static_cast<int>(count_ - at),
                               static_cast<off_t>(begin_));
    ++calls_;
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      extent_->sink = fail_errno("cannot write the file", errno, errno == ENOSPC ? "free some space" : "");
      break;
    }
    begin_ += static_cast<std::uint64_t>(put);
    for (auto left = static_cast<std::size_t>(put); left > 0;) {
      const std::size_t step = std::min(left, vectors_[at].iov_len);
      vectors_[at].iov_base = static_cast<std::byte*>(vectors_[at].iov_base) + step;
      vectors_[at].iov_len -= step;
      left -= step;
      at += vectors_[at].iov_len == 0 ? 1 : 0;
    }
  }
  count_ = 0;
}

}  // namespace waggle::packet
