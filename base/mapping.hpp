// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <concepts>
#include <cstdint>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace waggle {

/// A piece of a file in memory, unmapped with the object. Reading or writing it raises SIGBUS when the file has shrunk:
/// hand it to system calls (which then fail with EFAULT), and touch it inside guarded() only.
class Mapping {
 public:
  /// Maps [offset, offset + length) of the file, wherever the pages begin.
  static Result<Mapping> of(int file, std::uint64_t offset, std::size_t length, int protection, int flags) {
    const auto lead = static_cast<std::size_t>(offset % page_size());
    void* memory =
        ::mmap(nullptr, lead + length, protection, MAP_SHARED | flags, file, static_cast<off_t>(offset - lead));
    if (memory == MAP_FAILED) {
      return fail_errno("cannot map the file");
    }
    return Mapping(static_cast<std::byte*>(memory), lead, length);
  }

  /// Maps zeroed memory that belongs to no file.
  static Result<Mapping> anonymous(std::size_t length) {
    void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      return fail_errno("cannot get memory");
    }
    return Mapping(static_cast<std::byte*>(memory), 0, length);
  }

  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), lead_(other.lead_), length_(other.length_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(lead_, other.lead_);
    std::swap(length_, other.length_);
    return *this;
  }
  ~Mapping() {
    if (memory_ != nullptr) {
      ::munmap(memory_, lead_ + length_);
    }
  }

  ByteSpan bytes() const { return {memory_ + lead_, length_}; }
  /// Leaves the memory mapped for as long as the process runs.
  void leave() { memory_ = nullptr; }

  static std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
  }

 private:
  Mapping(std::byte* memory, std::size_t lead, std::size_t length) : memory_(memory), lead_(lead), length_(length) {}

  std::byte* memory_ = nullptr;
  std::size_t lead_ = 0;
  std::size_t length_ = 0;
};

namespace detail {
bool run_guarded(ByteView mapped, void (*body)(void*), void* argument);
}

/// Runs `body`, which touches `mapped` memory of a file. Fault::changed when the file turned out to be shorter than
/// that (SIGBUS). `body` is left in the middle then: it must hold nothing that needs a destructor, and what it was
/// writing (a digest, say) is of no further use. Other SIGBUS go to the handler that was there before.
template <std::invocable Body>
Result<> guarded(ByteView mapped, Body&& body) {
  const bool whole = detail::run_guarded(
      mapped, [](void* argument) { (*static_cast<std::remove_reference_t<Body>*>(argument))(); }, &body);
  return whole ? Result<>() : fail(Fault::changed, "the file was cut while it was mapped");
}

}  // namespace waggle
