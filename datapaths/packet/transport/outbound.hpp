// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/digest.hpp"
#include "base/shared_fd.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/range_set.hpp"

namespace waggle::packet {

/// An extent on its way out. The transport decides which bytes go when (Sending); whoever fills packets reads them from
/// the file, also to send them again, and says what the file lacks. Offsets are bytes from the start of the extent.
class Outbound {
 public:
  struct Piece {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
  };

  /// `serial`: unlike that of any other extent in this process. `digest`: the caller's, until release_digest().
  Outbound(const ExtentId& id, std::uint32_t sequence, std::uint64_t serial, SharedFd file, ExtentDigester* digest)
      : id_(id), sequence_(sequence), serial_(serial), file_(std::move(file)), digest_(digest) {}

  const ExtentId& id() const { return id_; }
  std::uint32_t sequence() const { return sequence_; }
  std::uint64_t serial() const { return serial_; }
  /// All bytes have been sent once.
  bool sent() const { return next_ == id_.length; }
  /// Nothing of it will ever be read again.
  bool over() const { return sent() && under_way_ == 0 && lost_.empty(); }

  // For whoever reads its bytes

  int file() const { return file_.get(); }
  ExtentDigester* digest() const { return digest_; }
  /// The file has no bytes from `offset` on: they are sent as zeros.
  void cut_at(std::uint64_t offset) { valid_ = std::min(valid_, offset); }
  /// Why it has no more; the first reason stays.
  void source_failed(Error why) {
    if (source_) {
      source_ = std::unexpected(std::move(why));
    }
  }

  // For its offerer

  /// Bytes that the file still had when they were read; all ones if that was all.
  std::uint64_t valid() const { return valid_; }
  const Result<>& source() const { return source_; }
  /// The digester may go away.
  void release_digest() { digest_ = nullptr; }

  // For the transport

  /// The next bytes that were never sent, at most `most`.
  Piece take_new(std::uint32_t most) {
    const Piece piece{next_, static_cast<std::uint32_t>(std::min<std::uint64_t>(most, id_.length - next_))};
    next_ += piece.length;
    return piece;
  }
  bool has_lost() const { return !lost_.empty(); }
  std::uint64_t first_lost() const { return lost_.ranges().front().begin; }  ///< there is one
  std::size_t lost_pieces() const { return lost_.size(); }
  /// The first bytes to send again, of which there are some.
  Piece take_lost(std::uint32_t most) {
    const auto range = lost_.ranges().front();
    const Piece piece{range.begin, static_cast<std::uint32_t>(std::min<std::uint64_t>(most, range.end - range.begin))};
    lost_.drop_below(range.begin + piece.length);
    return piece;
  }
  void on_sent() { ++under_way_; }
  /// A packet of it is under way no more.
  void on_fate() { --under_way_; }
  void on_acknowledged(std::uint32_t length) { acknowledged_ += length; }
  void on_lost(std::uint64_t offset, std::uint32_t length) { lost_.add(offset, offset + length); }
  /// What was taken for lost has arrived: it need not be sent again, unless that has happened.
  void on_found(std::uint64_t offset, std::uint32_t length) { lost_.remove(offset, offset + length); }
  /// Bytes that the peer has yet to take, or some of them.
  std::uint64_t owed() const { return id_.length - std::min(acknowledged_, id_.length); }
  void close_file() { file_.reset(); }

 private:
  ExtentId id_;
  std::uint32_t sequence_;
  std::uint64_t serial_;
  SharedFd file_;
  ExtentDigester* digest_;
  std::uint64_t next_ = 0;  // first byte never sent
  std::uint64_t valid_ = ~std::uint64_t{0};
  Result<> source_;
  std::uint32_t under_way_ = 0;     // packets
  std::uint64_t acknowledged_ = 0;  // bytes, twice where two copies were
  RangeSet lost_;                   // to be sent again
};

}  // namespace waggle::packet
