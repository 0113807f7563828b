// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {
namespace {

using Piece = FileReader::Piece;

/// Length of the front of `pieces` that one call can read: neighbours in one file.
std::size_t run_length(std::span<const Piece> pieces) {
  std::size_t count = 1;
  while (count < pieces.size() && pieces[count].extent == pieces[0].extent &&
         pieces[count].offset == pieces[count - 1].offset + pieces[count - 1].payload) {
    ++count;
  }
  return count;
}

}  // namespace

Result<FileReader::Way> FileReader::parse(std::string_view name) {
  if (name == "read") {
    return Way::copied;
  }
  if (name == "mmap") {
    return Way::mapped;
  }
  if (name == "direct") {
    return Way::direct;
  }
  return fail(Fault::usage, fmt::format("a source cannot be '{}'", name), "choose read, mmap or direct");
}

void FileReader::fill(std::span<Piece> pieces) {
  while (!pieces.empty()) {
    const std::size_t count = run_length(pieces);
    read(pieces.first(count));
    pieces = pieces.subspan(count);
  }
}

void FileReader::read(std::span<Piece> run) {
  Outbound& extent = *run[0].extent;
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    vectors_[i] = {run[i].packet + kDataHeader, run[i].payload};
    wanted += run[i].payload;
  }
  std::uint64_t done = 0;
  std::size_t at = 0;
  while (done < wanted) {
    const auto got = ::preadv(extent.file.get(), vectors_.data() + at, static_cast<int>(run.size() - at),
                              static_cast<off_t>(extent.id.offset + run[0].offset + done));
    ++calls_;
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      if (got < 0 && extent.source) {
        extent.source = fail_errno("cannot read the file");
      }
      break;
    }
    done += static_cast<std::uint64_t>(got);
    for (auto left = static_cast<std::size_t>(got); left > 0;) {
      const std::size_t step = std::min(left, vectors_[at].iov_len);
      vectors_[at].iov_base = static_cast<std::byte*>(vectors_[at].iov_base) + step;
      vectors_[at].iov_len -= step;
      left -= step;
      at += vectors_[at].iov_len == 0 ? 1 : 0;
    }
  }
  seal_all(run, done);
}

void FileReader::seal_all(std::span<Piece> run, std::uint64_t got) {
  std::size_t count = 0;
  for (const Piece& piece : run) {
    const auto there = static_cast<std::uint32_t>(std::min<std::uint64_t>(got, piece.payload));
    got -= there;
    if (there < piece.payload) [[unlikely]] {
      std::fill_n(piece.packet + kDataHeader + there, piece.payload - there, std::byte{0});
      piece.extent->valid = std::min(piece.extent->valid, piece.offset + there);
    }
    const ByteView payload(piece.packet + kDataHeader, piece.payload);
    views_[count] = payload;
    count += piece.first ? 1 : 0;
    seal(ByteSpan(piece.packet, kDataHeader + piece.payload));
  }
  if (ExtentDigester* digest = run[0].extent->digest; digest != nullptr && count > 0) {
    digest->update(std::span<const ByteView>(views_).first(count));
  }
}

}  // namespace waggle::packet
