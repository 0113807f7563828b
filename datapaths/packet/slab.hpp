// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <utility>

#include "base/result.hpp"

namespace waggle::packet {

/// Equally long, page-aligned-as-a-whole blocks of anonymous memory in one mapping.
class Slab {
 public:
  /// `stride` bytes from block to block. With `huge` on huge pages of the default size; the kernel says ENOMEM when
  /// none are reserved, as Fault::missing.
  static Result<Slab> create(std::size_t blocks, std::size_t stride, bool huge = false) {
    const std::size_t bytes = size(blocks * stride, huge);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (huge ? MAP_HUGETLB : 0);
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (at != MAP_FAILED) {
      return Slab(static_cast<std::byte*>(at), bytes, stride);
    }
    if (huge) {
      return fail(Fault::missing,
                  "there are not enough huge pages for " + std::to_string(bytes >> 20) + " MiB of frames",
                  "reserve " + std::to_string(bytes / kHugePage) + " more by vm.nr_hugepages");
    }
    return fail_errno("cannot map memory for frames");
  }
  /// What a slab for so many bytes takes.
  static constexpr std::size_t size(std::size_t bytes, bool huge) {
    return huge ? (bytes + kHugePage - 1) / kHugePage * kHugePage : bytes;
  }
  Slab(Slab&& other) noexcept : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_), stride_(other.stride_) {}
  Slab& operator=(Slab&&) = delete;
  ~Slab() {
    if (at_ != nullptr) {
      ::munmap(at_, bytes_);
    }
  }

  std::byte* block(std::size_t index) const { return at_ + index * stride_; }
  std::byte* data() const { return at_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t stride() const { return stride_; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  Slab(std::byte* at, std::size_t bytes, std::size_t stride) : at_(at), bytes_(bytes), stride_(stride) {}

  std::byte* at_;
  std::size_t bytes_;
  std::size_t stride_;
};

}  // namespace waggle::packet
