// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

/// Files for workloads: random content and random sizes, the same for the same seed on every machine.
namespace waggle::workloads {

/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  /// Uniform in [0, bound), bound > 0 (Lemire's multiply and shift; the bias is below 2^-32 for what we draw).
  std::uint64_t below(std::uint64_t bound);
  void fill(ByteSpan bytes);

 private:
  std::uint64_t state_[4];
};

/// Name of the one file that workloads over a single file serve.
inline constexpr std::string_view kServedFile = "payload.bin";

/// Makes (or replaces) a file of `size` random bytes.
Result<> make_random_file(const std::filesystem::path& path, std::uint64_t size, std::uint64_t seed);

/// A tree of small files: kFilesPerDirectory in each directory, sizes uniform in [small_min, small_max].
inline constexpr std::uint64_t kFilesPerDirectory = 100;
Result<> make_tree(const std::filesystem::path& root, std::uint64_t count, std::uint64_t least, std::uint64_t most,
                   std::uint64_t seed);
/// Name of a directory or file of such a tree, relative to its root: "d0012", "d0012/f001234".
std::string tree_directory(std::uint64_t directory);
std::string tree_file(std::uint64_t index);

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0644);

}  // namespace waggle::workloads
