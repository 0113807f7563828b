// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/mounts.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace waggle::topology {
namespace {

/// The value of huge= among the options of the last mount on `at`, "never" when there is none.
std::string granted_huge(const std::filesystem::path& at) {
  std::ifstream mounts("/proc/thread-self/mountinfo");
  std::string line;
  std::string value = "never";
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string id, parent, device, root, place;
    words >> id >> parent >> device >> root >> place;
    if (place != at.string()) {
      continue;
    }
    value = "never";
    if (const auto option = line.find("huge="); option != std::string::npos) {
      value = line.substr(option + 5, line.find_first_of(", \n", option) - option - 5);
    }
  }
  return value;
}

}  // namespace

Result<> enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) {
    return errno == EPERM ? fail(Fault::missing, "cannot make a mount namespace: only root may", "run it with sudo")
                          : fail_errno("cannot make a mount namespace");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("cannot make mounts private");
  }
  return {};
}

Result<Mount> Mount::tmpfs(const std::filesystem::path& at, bool huge) {
  if (::mount("waggle", at.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, huge ? "mode=0700,huge=always" : "mode=0700") != 0) {
    if (huge && errno == EINVAL) {
      return fail(Fault::missing, "cannot mount a tmpfs with huge pages: this kernel has none",
                  "leave out --huge, or use a kernel with CONFIG_TRANSPARENT_HUGEPAGE");
    }
    return fail_errno(fmt::format("cannot mount a tmpfs on {}", at.string()));
  }
  Mount mount(at);
  mount.huge_ = {"tmpfs huge", huge ? "always" : "never", granted_huge(at)};
  return mount;
}

Result<Mount> Mount::bind_read_only(const std::filesystem::path& from, const std::filesystem::path& at) {
  if (::mount(from.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return fail_errno(fmt::format("cannot show {} to the server", from.string()));
  }
  Mount mount(at);
  if (::mount(nullptr, at.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    return fail_errno(fmt::format("cannot show {} read-only", from.string()));
  }
  return mount;
}

Mount& Mount::operator=(Mount&& other) noexcept {
  if (this != &other) {
    take_down();
    at_ = std::move(other.at_);
    huge_ = std::move(other.huge_);
    other.at_.clear();
  }
  return *this;
}

Mount::~Mount() {
  take_down();
}

void Mount::take_down() noexcept {
  if (!at_.empty()) {
    // Lazily: a process that is being killed may still have a file open, and must not keep the mount from going.
    ::umount2(at_.c_str(), MNT_DETACH);
    at_.clear();
  }
}

}  // namespace waggle::topology
