// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "protocol/client_state.hpp"

namespace waggle::protocol {

/// Part of a file that is sent, or that is a hole.
struct UploadPiece {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

namespace {

/// WRITEs whose reply may be outstanding: their replies always fit the socket buffers.
constexpr std::size_t kWritesUnderWay = 16;
/// Up to this size it is cheaper to send the payload along than to wait whether CREATE succeeds.
constexpr std::uint64_t kSendBlindly = 256 * 1024;

/// Shorter holes are sent: to ask for one takes a round trip.
constexpr std::uint64_t kLeastHole = std::uint64_t{1024} * 1024;
/// Far fewer than an upload may have pieces that do not touch.
constexpr std::size_t kMostHoles = 1024;

/// Whole blocks, or all up to the end, that the file system does not keep (lseek(2): SEEK_HOLE).
std::vector<UploadPiece> holes_of(int file, std::uint64_t size) {
  std::vector<UploadPiece> holes;
  const off_t end_of_file = ::lseek(file, 0, SEEK_END);
  if (end_of_file < 0 || static_cast<std::uint64_t>(end_of_file) < size) {
    return holes;  // what it has lost is no hole
  }
  std::uint64_t at = 0;
  while (at < size && holes.size() < kMostHoles) {
    const off_t hole = ::lseek(file, static_cast<off_t>(at), SEEK_HOLE);
    if (hole < 0 || static_cast<std::uint64_t>(hole) >= size) {
      break;
    }
    const off_t data = ::lseek(file, hole, SEEK_DATA);
    at = data < 0 ? size : std::min(size, static_cast<std::uint64_t>(data));
    const std::uint64_t begin = (static_cast<std::uint64_t>(hole) + kDigestBlock - 1) / kDigestBlock * kDigestBlock;
    const std::uint64_t end = at == size ? size : at / kDigestBlock * kDigestBlock;
    if (end > begin && end - begin >= kLeastHole) {
      holes.push_back({begin, end - begin});
    }
  }
  return holes;
}

}  // namespace

/// One upload. What fails by a reply of the server is remembered in failure_ and leaves the connection usable.
class Client::State::Upload {
 public:
  Upload(Client& client, State& state, std::string_view path, int from, std::uint64_t size,
         const UploadOptions& options)
      : client_(client),
        state_(state),
        path_(path),
        from_(from),
        size_(size),
        options_(options),
        handle_(state.new_handle()),
        tap_(state.options.digest) {}

  Result<Transferred> run() {
    const std::uint64_t start = now_ns();
    WAGGLE_TRY(create());
    for (const UploadPiece& piece : pieces_) {
      for (std::uint64_t sent = 0; failure_ && sent < piece.length;) {
        const std::uint64_t length =
            std::min({piece.length - sent, kMaxExtent, std::max(options_.extent, kDigestBlock)});
        WAGGLE_TRY(send({piece.offset + sent, length}));
        sent += length;
      }
    }
    WAGGLE_TRY(commit());
    WAGGLE_TRY(failure_);
    total_.latency_ns = now_ns() - start;
    total_.verify_ns = tap_.nanoseconds();
    total_.bytes = size_;
    return total_;
  }

 private:
  /// CREATE, and what is left to send.
  Result<> create() {
    WAGGLE_TRY(
        state_.post(Create{handle_, size_, options_.mode, path_}, options_.resume ? flag::kResume : std::uint8_t{0}));
    created_ = false;
    pieces_ = {{0, size_}};
    if (!options_.resume && size_ <= kSendBlindly) {
      return {};
    }
    WAGGLE_TRY(take_reply());
    return !failure_ ? Result<>() : options_.resume ? compare() : skip_holes();
  }

  /// Holes of the source are holes of the new upload as well: the server's digests vouch for them, and they are neither
  /// sent nor written.
  Result<> skip_holes() {
    const auto& features = state_.session.features();
    if (there_.size != size_ || std::ranges::find(features, "digests") == features.end()) {
      return {};
    }
    std::uint64_t begin = 0;
    pieces_.clear();
    for (const UploadPiece& hole : holes_of(from_, size_)) {
      const auto theirs = client_.digests({handle_, there_}, hole.offset, hole.length);
      if (!theirs && state_.broken) {
        return std::unexpected(theirs.error());
      }
      if (theirs && all_zeros(*theirs, hole.length)) {
        if (hole.offset > begin) {
          pieces_.push_back({begin, hole.offset - begin});
        }
        begin = hole.offset + hole.length;
        skip(hole.length);
      }
    }
    if (begin < size_) {
      pieces_.push_back({begin, size_ - begin});
    }
    return {};
  }

  bool all_zeros(const std::vector<Digest>& blocks, std::uint64_t length) const {
    const std::vector<std::byte> zeros(kDigestBlock);
    const DigestKind kind = state_.options.digest;
    const Digest whole = digest_of(kind, zeros);
    const std::uint64_t rest = length % kDigestBlock;
    const Digest last = rest == 0 ? whole : digest_of(kind, ByteView(zeros).first(rest));
    return std::all_of(blocks.begin(), blocks.end() - 1, [&](const Digest& block) { return block == whole; }) &&
           blocks.back() == last;
  }

  /// Leaves in pieces_ only the blocks that the server does not hold already.
  Result<> compare() {
    const std::uint64_t whole = there_.size / kDigestBlock * kDigestBlock;
    const std::uint64_t common = there_.size >= size_ ? size_ : whole;
    if (common == 0) {
      return {};
    }
    const auto theirs = client_.digests({handle_, there_}, 0, common);
    if (!theirs) {
      if (state_.broken) {
        return std::unexpected(theirs.error());
      }
      failure_ = std::unexpected(about(path_, theirs.error()));
      return {};
    }
    ExtentDigester ours(state_.options.digest, true);
    if (const auto read = digest_of_file(ours, from_, {handle_, 0, common}); !read) {
      failure_ = std::unexpected(about(path_, read.error()));
      return {};
    }
    pieces_.clear();
    for (std::size_t block = 0; block < theirs->size(); ++block) {
      const std::uint64_t offset = block * kDigestBlock;
      const std::uint64_t length = std::min(kDigestBlock, common - offset);
      if ((*theirs)[block] != ours.blocks()[block]) {
        add_piece({offset, length});
      } else {
        skip(length);
      }
    }
    if (common < size_) {
      add_piece({common, size_ - common});
    }
    return {};
  }

  void add_piece(const UploadPiece& piece) {
    if (!pieces_.empty() && pieces_.back().offset + pieces_.back().length == piece.offset) {
      pieces_.back().length += piece.length;
    } else {
      pieces_.push_back(piece);
    }
  }

  Result<> send(const UploadPiece& piece) {
    WAGGLE_LET(sent, state_.send_extent({handle_, piece.offset, piece.length}, from_, 0, tap_));
    lengths_.push_back(piece.length);
    if (!sent.source) {
      failure_ = std::unexpected(about(path_, sent.source.error()));
    }
    total_.digest = sent.root;
    while (lengths_.size() - answered_ > kWritesUnderWay) {
      WAGGLE_TRY(take_reply());
    }
    return {};
  }

  /// The oldest reply: of CREATE, then of the WRITEs.
  Result<> take_reply() {
    WAGGLE_LET(reply, state_.reply("upload"));
    if (!reply.status) {
      // The first failure is the reason; those that follow from it say less.
      failure_ = failure_ ? Result<>(std::unexpected(about(path_, reply.status.error()))) : failure_;
    }
    if (!std::exchange(created_, true)) {
      there_ = reply.attributes;
    } else {
      const std::uint64_t length = lengths_[answered_++];
      if (reply.status) {
        tell(length);
      }
    }
    return {};
  }

  /// They are there and need not be sent.
  void skip(std::uint64_t length) {
    total_.unchanged += length;
    if (options_.there) {
      options_.there(length);
    }
  }

  void tell(std::uint64_t length) {
    if (state_.options.progress != nullptr) {
      state_.options.progress->add(now_ns(), length);
    }
  }

  /// COMMIT goes out before the last replies are in: the server refuses it unless it has verified every byte.
  Result<> commit() {
    if (failure_ && options_.still_right) {
      if (const auto right = options_.still_right(); !right) {
        failure_ = std::unexpected(about(path_, right.error()));
      }
    }
    const bool commits = failure_.has_value();
    if (commits) {
      const bool durable = options_.durable;
      WAGGLE_TRY(state_.post(Commit{handle_}, durable ? flag::kDurable : std::uint8_t{0}, durable ? size_ : 0));
    } else {
      WAGGLE_TRY(state_.post(Release{handle_}));
      WAGGLE_TRY(state_.flush());
    }
    while (!created_ || answered_ < lengths_.size()) {
      WAGGLE_TRY(take_reply());
    }
    if (commits) {
      WAGGLE_LET(reply, state_.reply("upload"));
      if (failure_ && !reply.status) {
        failure_ = std::unexpected(about(path_, reply.status.error()));
      }
    }
    return {};
  }

  Client& client_;
  State& state_;
  std::string_view path_;
  int from_;
  std::uint64_t size_;
  const UploadOptions& options_;
  std::uint32_t handle_;
  ExtentDigester tap_;
  bool created_ = false;  ///< CREATE has been answered
  Attributes there_;      ///< of what an earlier upload left
  std::vector<UploadPiece> pieces_;
  std::vector<std::uint64_t> lengths_;  ///< of all WRITEs
  std::size_t answered_ = 0;            ///< of them
  Result<> failure_;
  Transferred total_;
};

Result<Transferred> Client::upload(std::string_view path, int from, std::uint64_t size, const UploadOptions& options) {
  return State::Upload(*this, *state_, path, from, size, options).run();
}

}  // namespace waggle::protocol
