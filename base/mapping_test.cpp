// SPDX-License-Identifier: BSD-2-Clause
#include "base/mapping.hpp"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace waggle {
namespace {

UniqueFd file_of(std::size_t size) {
  UniqueFd file(::memfd_create("mapped", MFD_CLOEXEC));
  REQUIRE(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
  return file;
}

/// Reads one byte of each page, so that the compiler cannot leave it out.
void touch(ByteView bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4096) {
    static_cast<void>(*const_cast<volatile const std::byte*>(&bytes[i]));
  }
}

}  // namespace

TEST_CASE("a mapping begins where it was asked to") {
  const UniqueFd file = file_of(20000);
  REQUIRE(::pwrite(file.get(), "here", 4, 5000) == 4);
  const auto mapping = Mapping::of(file.get(), 5000, 100, PROT_READ, 0);
  REQUIRE(mapping);
  CHECK(mapping->bytes().size() == 100);
  CHECK(std::memcmp(mapping->bytes().data(), "here", 4) == 0);
}

TEST_CASE("reading a file that was cut is an error, in every thread and every time") {
  const UniqueFd file = file_of(64 * 1024);
  const auto mapping = Mapping::of(file.get(), 100, 60 * 1024, PROT_READ, 0);
  REQUIRE(mapping);
  const ByteView bytes = mapping->bytes();
  CHECK(guarded(bytes, [&] { touch(bytes); }));
  REQUIRE(::ftruncate(file.get(), 8192) == 0);
  const auto fails = [&] {
    for (int i = 0; i < 100; ++i) {
      const auto touched = guarded(bytes, [&] { touch(bytes); });
      if (touched || touched.error().fault != Fault::changed ||
          !guarded(bytes.first(4096), [&] { touch(bytes.first(4096)); })) {
        return false;
      }
    }
    return true;
  };
  std::vector<std::thread> threads;
  std::vector<char> outcome(4);
  for (char& one : outcome) {
    threads.emplace_back([&] { one = fails() ? 1 : 0; });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(outcome == std::vector<char>(4, 1));
}

}  // namespace waggle
