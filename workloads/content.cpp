// SPDX-License-Identifier: BSD-2-Clause
#include "workloads/content.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/write_all.hpp"

namespace waggle::workloads {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kChunk = 256 * 1024;

Result<> write_random(int file, std::uint64_t size, Random& random, ByteSpan buffer, const std::string& path) {
  while (size > 0) {
    const auto chunk = buffer.first(std::min<std::uint64_t>(size, buffer.size()));
    random.fill(chunk);
    if (!write_all(file, chunk)) {
      return fail_errno(fmt::format("cannot write {}", path), errno,
                        "free space there or choose another place with --work");
    }
    size -= chunk.size();
  }
  return {};
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

void Random::fill(ByteSpan bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const std::uint64_t word = next();
    std::memcpy(bytes.data() + at, &word, 8);
  }
  if (at < bytes.size()) {
    const std::uint64_t word = next();
    std::memcpy(bytes.data() + at, &word, bytes.size() - at);
  }
}

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file) {
    return fail_errno(fmt::format("cannot open {}", path.string()));
  }
  return file;
}

Result<> make_random_file(const std::filesystem::path& path, std::uint64_t size, std::uint64_t seed) {
  WAGGLE_LET(file, open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
  Random random(seed);
  std::vector<std::byte> buffer(kChunk);
  return write_random(file.get(), size, random, buffer, path.string());
}

std::string tree_directory(std::uint64_t directory) {
  return fmt::format("d{:04}", directory);
}

std::string tree_file(std::uint64_t index) {
  return fmt::format("d{:04}/f{:06}", index / kFilesPerDirectory, index);
}

Result<> make_tree(const std::filesystem::path& root, std::uint64_t count, std::uint64_t least, std::uint64_t most,
                   std::uint64_t seed) {
  if (least > most) {
    return fail(Fault::usage, fmt::format("the smallest file ({} bytes) is larger than the largest ({})", least, most),
                "swap --small-min and --small-max");
  }
  Random random(seed);
  std::vector<std::byte> buffer(kChunk);
  std::error_code error;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % kFilesPerDirectory == 0) {
      const auto directory = root / tree_directory(i / kFilesPerDirectory);
      std::filesystem::create_directories(directory, error);
      if (error) {
        return fail_errno(fmt::format("cannot make the directory {}", directory.string()), error.value());
      }
    }
    const auto path = root / tree_file(i);
    WAGGLE_LET(file, open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
    WAGGLE_TRY(write_random(file.get(), least + random.below(most - least + 1), random, buffer, path.string()));
  }
  return {};
}

}  // namespace waggle::workloads
