// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "datapaths/packet/iovecs.hpp"
#include "datapaths/packet/transport/crc32c.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {
namespace {

using Piece = FileReader::Piece;

constexpr std::size_t kSector = 512;
/// Mapped at once, in bytes: small enough for the pages to stay in the cache until they are copied.
constexpr std::uint64_t kWindow = 2 * 1024 * 1024;

/// Length of the front of `pieces` that one call can read: neighbours in one file.
std::size_t run_length(std::span<const Piece> pieces) {
  std::size_t count = 1;
  while (count < pieces.size() && pieces[count].extent == pieces[0].extent &&
         pieces[count].offset == pieces[count - 1].offset + pieces[count - 1].payload) {
    ++count;
  }
  return count;
}

/// A file system may let a file be opened for O_DIRECT and copy all the same (tmpfs, since Linux 6.6), or want larger
/// blocks than frames are aligned to.
Result<> check_direct(int file) {
  constexpr const char* kInstead = "send from a disk's file system (--work), or leave source=direct out";
  struct statfs system{};
  if (::fstatfs(file, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC)) {
    return fail(Fault::missing, "a file in memory cannot be read past the page cache (O_DIRECT)", kInstead);
  }
  struct statx status{};
  if (::statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0 || (status.stx_mask & STATX_DIOALIGN) == 0) {
    return {};  // before Linux 6.1, and some file systems do not tell: opening and reading the file will
  }
  const std::uint32_t wanted = std::max(status.stx_dio_mem_align, status.stx_dio_offset_align);
  if (wanted == 0) {
    return fail(Fault::missing, "the file system does not let this file be read past the page cache (O_DIRECT)",
                kInstead);
  }
  if (wanted > kSector) {
    return fail(Fault::missing,
                fmt::format("the disk wants O_DIRECT in blocks of {} bytes, and frames have {}", wanted, kSector),
                kInstead);
  }
  return {};
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

CopyModel FileReader::copies(Way way) {
  switch (way) {
    case Way::mapped: return {.user = 1, .because = "our code: mapped page cache -> frame"};
    case Way::direct: return {.because = "O_DIRECT: the disk fills the frame", .past_cache = true};
    case Way::copied: break;
  }
  return {.kernel = 1, .because = "preadv: page cache -> frame"};
}

void FileReader::fill(std::span<Piece> pieces) {
  while (!pieces.empty()) {
    const std::size_t count = run_length(pieces);
    read(pieces.first(count));
    pieces = pieces.subspan(count);
  }
}

Result<SharedFd> FileReader::own(const Outgoing& outgoing, Way way) {
  const std::uint64_t offset = outgoing.id.offset;
  if (way != Way::direct) {
    SharedFd file = outgoing.shared ? outgoing.shared : SharedFd::duplicate(outgoing.file);
    return file ? Result<SharedFd>(std::move(file)) : fail_errno("cannot duplicate the descriptor of the file to send");
  }
  if (offset % kSector != 0) {
    return fail(Fault::usage, fmt::format("byte {} is no place to read from with O_DIRECT", offset),
                fmt::format("ask for blocks of a multiple of {} bytes, or leave source=direct out", kSector));
  }
  WAGGLE_TRY(check_direct(outgoing.file));
  UniqueFd direct(::open(fmt::format("/proc/self/fd/{}", outgoing.file).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!direct) {
    return fail(Fault::missing, fmt::format("cannot open the file for O_DIRECT: {}", std::strerror(errno)),
                "send from a disk's file system (--work), or leave source=direct out");
  }
  return SharedFd(std::move(direct)).with(std::make_shared<const SharedFd>(outgoing.shared));
}

void FileReader::read(std::span<Piece> run) {
  if (way_ == Way::mapped && run[0].first && copy_mapped(run)) {
    digest(run);
    return;
  }
  Outbound& extent = *run[0].extent;
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    vectors_[i] = {run[i].packet + kDataHeader, run[i].payload};
    wanted += run[i].payload;
  }
  if (way_ == Way::direct) {
    // Only an extent's end is no multiple of a sector; the frame has room for the rest of it.
    std::size_t& last = vectors_[run.size() - 1].iov_len;
    last = (last + kSector - 1) / kSector * kSector;
  }
  std::uint64_t done = 0;
  for (auto left = std::span(vectors_).first(run.size()); done < wanted;) {
    const auto got = ::preadv(extent.file(), left.data(), static_cast<int>(left.size()),
                              static_cast<off_t>(extent.id().offset + run[0].offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      if (got < 0) {
        extent.source_failed(fail_errno("cannot read the file").error());
      }
      break;
    }
    done += static_cast<std::uint64_t>(got);
    left = skip(left, static_cast<std::size_t>(got));
    if (way_ == Way::direct && done % kSector != 0) {
      break;  // the end of the file
    }
  }
  seal_all(run, std::min(done, wanted));
  digest(run);
}

/// The mapped piece of the file that holds all of `piece`; nullptr when it cannot be mapped.
FileReader::Window* FileReader::window(const Piece& piece) {
  const Outbound& extent = *piece.extent;
  auto found = std::ranges::find(windows_, extent.serial(), &Window::serial);
  if (found == windows_.end()) {
    found = windows_.begin() + static_cast<std::ptrdiff_t>(next_window_++ % windows_.size());
  }
  Window& window = *found;
  const bool holds = window.serial == extent.serial() && piece.offset >= window.at &&
                     piece.offset + piece.payload <= window.at + window.mapping.bytes().size();
  if (!holds) {
    const auto length = static_cast<std::size_t>(std::min(kWindow, extent.id().length - piece.offset));
    auto mapping = Mapping::of(extent.file(), extent.id().offset + piece.offset, length, PROT_READ, MAP_POPULATE);
    if (!mapping) {
      return nullptr;
    }
    window.mapping = *std::move(mapping);
    window.serial = extent.serial();
    window.at = piece.offset;
  }
  return &window;
}

/// False when the file cannot be mapped or has been cut: read() then finds out what there is.
bool FileReader::copy_mapped(std::span<Piece> run) {
  for (const Piece& piece : run) {
    const Window* mapped = window(piece);
    if (mapped == nullptr) {
      return false;
    }
    const ByteView from = mapped->mapping.bytes().subspan(piece.offset - mapped->at, piece.payload);
    std::byte* packet = piece.packet;
    std::uint32_t crc = crc32c(0, ByteView(packet + 4, kDataHeader - 4));
    const auto copied =
        guarded(from, [&] { crc = copy_payload_crc32c(ByteSpan(packet + kDataHeader, from.size()), from, crc); });
    if (!copied) {
      return false;
    }
    seal_with(packet, crc);
  }
  return true;
}

void FileReader::seal_all(std::span<Piece> run, std::uint64_t got) {
  for (const Piece& piece : run) {
    const auto there = static_cast<std::uint32_t>(std::min<std::uint64_t>(got, piece.payload));
    got -= there;
    if (there < piece.payload) [[unlikely]] {
      std::fill_n(piece.packet + kDataHeader + there, piece.payload - there, std::byte{0});
      piece.extent->cut_at(piece.offset + there);
    }
    seal(ByteSpan(piece.packet, kDataHeader + piece.payload));
  }
}

void FileReader::digest(std::span<Piece> run) {
  ExtentDigester* digest = run[0].extent->digest();
  if (digest == nullptr) {
    return;
  }
  std::size_t count = 0;
  for (const Piece& piece : run) {
    views_[count] = ByteView(piece.packet + kDataHeader, piece.payload);
    count += piece.first ? 1 : 0;
  }
  if (count > 0) {  // else it may be gone: it is the caller's only until all bytes have been sent once
    digest->update(std::span<const ByteView>(views_).first(count));
  }
}

}  // namespace waggle::packet
