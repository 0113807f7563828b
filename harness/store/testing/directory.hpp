// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/testing/folder.hpp"

namespace waggle::store {

/// A directory for one test; removed with all that is in it.
class TestDirectory : public test::Folder {
 public:
  /// Lets somebody else have it.
  void give_to(uid_t user) const {
    if (::chown(path().c_str(), user, user) != 0) {
      throw std::runtime_error("cannot give the temporary directory away");
    }
  }
};

/// Root becomes a user without rights for as long as this lives; for anybody else it does nothing.
class WithoutRights {
 public:
  explicit WithoutRights(uid_t user) : root_(::geteuid() == 0) {
    if (root_ && ::seteuid(user) != 0) {
      throw std::runtime_error("cannot become another user");
    }
  }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;
  ~WithoutRights() {
    if (root_ && ::seteuid(0) != 0) {
      std::abort();
    }
  }

 private:
  bool root_;
};

/// As long as this lives, no more descriptors than `most` can be had by number.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{.rlim_cur = most, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

inline void write_file(const std::filesystem::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string random_text(std::size_t length, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(length, '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

/// Lets the kernel's time stamps move on, as they have for every file that was not written just now.
inline void make_old(const std::filesystem::path& path) {
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
}

}  // namespace waggle::store
