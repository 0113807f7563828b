// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/file_writer.hpp"

#include <cerrno>

#include "datapaths/packet/iovecs.hpp"

namespace waggle::packet {

void FileWriter::write(Inbound& extent, std::uint64_t offset, ByteView payload) {
  const std::uint64_t at = extent.incoming().id.offset + offset;
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
  for (auto left = std::span(vectors_).first(count_); !left.empty() && extent_->sink();) {
    const auto put = ::pwritev(extent_->incoming().file.get(), left.data(), static_cast<int>(left.size()),
                               static_cast<off_t>(begin_));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      extent_->sink_failed(
          fail_errno("cannot write the file", errno, errno == ENOSPC ? "free some space" : "").error());
      break;
    }
    begin_ += static_cast<std::uint64_t>(put);
    left = skip(left, static_cast<std::size_t>(put));
  }
  count_ = 0;
}

}  // namespace waggle::packet
