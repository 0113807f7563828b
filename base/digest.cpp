// SPDX-License-Identifier: BSD-2-Clause
#include "base/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/digest_xxh3.hpp"

namespace waggle {
namespace xxh3 {

const Kernel* const* supported() {
#if defined(__x86_64__)
  static const Kernel* kernels[4] = {&kBase};
  static const bool chosen = [] {
    std::size_t count = 1;
    if (__builtin_cpu_supports("avx2")) {
      kernels[count++] = &kAvx2;
    }
    if (__builtin_cpu_supports("avx512f")) {
      kernels[count++] = &kAvx512;
    }
    return true;
  }();
  static_cast<void>(chosen);
#else
  static const Kernel* const kernels[2] = {&kBase};
#endif
  return kernels;
}

}  // namespace xxh3

namespace {

const xxh3::Kernel& widest() {
  static const xxh3::Kernel* const kernel = [] {
    const xxh3::Kernel* const* candidate = xxh3::supported();
    while (candidate[1] != nullptr) {
      ++candidate;
    }
    return *candidate;
  }();
  return *kernel;
}

const EVP_MD* sha256() {
  // Fetched once: an implicit fetch looks the algorithm up at every digest (man 7 crypto).
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

/// Plain streaming digest of either kind.
class Hasher {
 public:
  explicit Hasher(DigestKind kind) : kind_(kind) {
    if (kind == DigestKind::sha256) {
      sha_.reset(EVP_MD_CTX_new());
    }
    reset();
  }

  void reset() {
    if (kind_ == DigestKind::xxh3_128) {
      widest().reset(xxh_);
    } else {
      EVP_DigestInit_ex(sha_.get(), sha256(), nullptr);
    }
  }

  void update(const void* bytes, std::size_t length) {
    if (kind_ == DigestKind::xxh3_128) {
      widest().update(xxh_, bytes, length);
    } else {
      EVP_DigestUpdate(sha_.get(), bytes, length);
    }
  }

  Digest finish() {
    Digest result;
    if (kind_ == DigestKind::xxh3_128) {
      widest().finish(xxh_, result.bytes.data());
    } else {
      EVP_DigestFinal_ex(sha_.get(), reinterpret_cast<unsigned char*>(result.bytes.data()), nullptr);
    }
    return result;
  }

 private:
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  DigestKind kind_;
  xxh3::Stream xxh_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> sha_;
};

}  // namespace

Result<DigestKind> parse_digest_kind(std::string_view name) {
  const auto kind = value_of<DigestKind>(name);
  return kind ? Result<DigestKind>(*kind)
              : fail(Fault::usage, fmt::format("no digest is named '{}'", name), "choose xxh3 or sha256");
}

std::string_view name(DigestKind kind) {
  return word_of(kind);
}

std::string Digest::hex(DigestKind kind) const {
  std::string text;
  text.reserve(2 * digest_size(kind));
  for (std::size_t i = 0; i < digest_size(kind); ++i) {
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned>(bytes[i]));
  }
  return text;
}

Digest digest_of(DigestKind kind, ByteView bytes) {
  Digest result;
  if (kind == DigestKind::xxh3_128) {
    widest().hash(bytes.data(), bytes.size(), result.bytes.data());
  } else {
    EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.bytes.data()), nullptr, sha256(),
               nullptr);
  }
  return result;
}

std::string_view digest_vectors() {
  return widest().vectors;
}

struct ExtentDigester::State {
  State(DigestKind of_kind, bool keep) : kind(of_kind), keep_blocks(keep), block(of_kind), root(of_kind) {}

  void close_block(const Digest& digest) {
    root.update(digest.bytes.data(), digest_size(kind));
    if (keep_blocks) {
      blocks.push_back(digest);
    }
    in_block = 0;
  }

  void feed(ByteView bytes) {
    while (!bytes.empty()) {
      const std::size_t take = std::min<std::size_t>(bytes.size(), kDigestBlock - in_block);
      if (take == kDigestBlock) {
        close_block(digest_of(kind, bytes.first(take)));  // one-shot is faster than streaming
      } else {
        feed_part(bytes.first(take));
      }
      bytes = bytes.subspan(take);
    }
  }

  void feed_part(ByteView part) {
    if (in_block == 0) {
      block.reset();
    }
    block.update(part.data(), part.size());
    in_block += part.size();
    if (in_block == kDigestBlock) {
      close_block(block.finish());
    }
  }

  void account(std::uint64_t start, std::uint64_t length) {
    const std::uint64_t end = now_ns();
    nanoseconds += end - start;
    fed += length;
    if (progress != nullptr) {
      progress->add(end, length);
    }
  }

  DigestKind kind;
  bool keep_blocks;
  Hasher block;
  Hasher root;
  std::uint64_t in_block = 0;
  std::uint64_t fed = 0;
  std::uint64_t nanoseconds = 0;
  Progress* progress = nullptr;
  std::vector<Digest> blocks;
};

ExtentDigester::ExtentDigester(DigestKind kind, bool keep_blocks)
    : state_(std::make_unique<State>(kind, keep_blocks)) {}
ExtentDigester::~ExtentDigester() = default;
ExtentDigester::ExtentDigester(ExtentDigester&&) noexcept = default;
ExtentDigester& ExtentDigester::operator=(ExtentDigester&&) noexcept = default;

void ExtentDigester::update(ByteView bytes) {
  const std::uint64_t start = now_ns();
  state_->feed(bytes);
  state_->account(start, bytes.size());
}

void ExtentDigester::update(std::span<const ByteView> pieces) {
  const std::uint64_t start = now_ns();
  std::uint64_t length = 0;
  for (const ByteView piece : pieces) {
    state_->feed(piece);
    length += piece.size();
  }
  state_->account(start, length);
}

void ExtentDigester::add_block(const Digest& block, std::uint64_t length) {
  const std::uint64_t start = now_ns();
  state_->close_block(block);
  state_->account(start, length);
}

Digest ExtentDigester::finish() {
  const std::uint64_t start = now_ns();
  if (state_->in_block != 0) {
    state_->close_block(state_->block.finish());
  }
  const Digest result = state_->root.finish();
  state_->nanoseconds += now_ns() - start;
  return result;
}

void ExtentDigester::observe(Progress* progress) {
  state_->progress = progress;
}

void ExtentDigester::mirror(const ExtentDigester& other) {
  if (state_->kind != other.state_->kind) {
    state_ = std::make_unique<State>(other.state_->kind, other.state_->keep_blocks);
  }
  state_->keep_blocks = other.state_->keep_blocks;
  state_->progress = other.state_->progress;
  state_->nanoseconds = 0;
  reset();
}

void ExtentDigester::adopt(ExtentDigester& mirrored) {
  std::swap(state_, mirrored.state_);
  state_->nanoseconds += mirrored.state_->nanoseconds;
  state_->progress = mirrored.state_->progress;
  mirrored.state_->nanoseconds = 0;
  mirrored.reset();
}

void ExtentDigester::reset() {
  state_->root.reset();
  state_->in_block = 0;
  state_->fed = 0;
  state_->blocks.clear();
}

DigestKind ExtentDigester::kind() const {
  return state_->kind;
}

std::uint64_t ExtentDigester::bytes() const {
  return state_->fed;
}

std::uint64_t ExtentDigester::nanoseconds() const {
  return state_->nanoseconds;
}

const std::vector<Digest>& ExtentDigester::blocks() const {
  return state_->blocks;
}

}  // namespace waggle
