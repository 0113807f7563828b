// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/capabilities.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/measure/attempts.hpp"

using namespace waggle;
using namespace waggle::measure;

namespace {

std::string content(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::ptrdiff_t entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator{});
}

Result<> complains(const std::vector<Capability>& list) {
  for (const Capability& capability : list) {
    if (capability.works != capability.why_not.empty() || capability.works != capability.remedy.empty()) {
      return fail(Fault::io, capability.name + " does not say what is wrong or what to do");
    }
  }
  return {};
}

}  // namespace

TEST_CASE("whatever does not work says why and what to do") {
  const auto list = capabilities();
  CHECK(list.size() >= 15);
  CHECK(complains(list));
  std::set<std::string> names;
  for (const Capability& capability : list) {
    INFO(capability.name << ": " << capability.why_not << "; " << capability.remedy);
    CHECK(names.insert(capability.name).second);
    if (capability.required && ::geteuid() == 0) {
      CHECK(capability.works);
    }
  }
}

TEST_CASE("trying leaves nothing behind") {
  static_cast<void>(capabilities());
  const std::string mounts = content("/proc/self/mountinfo");
  const auto devices = entries("/sys/class/net");
  const auto open = entries("/proc/self/fd");
  static_cast<void>(capabilities());
  CHECK(content("/proc/self/mountinfo") == mounts);
  CHECK(entries("/sys/class/net") == devices);
  CHECK(entries("/proc/self/fd") == open);
}

TEST_CASE("without root the missing rights are named and sudo is the remedy") {
  if (::geteuid() != 0) {
    return;
  }
  const auto outcome = attempt::child([]() -> Result<> {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      return fail_errno("cannot become nobody");
    }
    const auto list = capabilities();
    for (const Capability& capability : list) {
      const bool needs_root = capability.name == "root" || capability.name == "network namespaces" ||
                              capability.name == "veth" || capability.name == "tmpfs";
      if (needs_root && (capability.works || capability.remedy.find("sudo") == std::string::npos)) {
        return fail(Fault::io, capability.name + ": " + capability.why_not + "; " + capability.remedy);
      }
      // A build without BPF has another remedy than root.
      if (capability.name == "copies traced" && (capability.works || capability.remedy.empty())) {
        return fail(Fault::io, "copies traced: " + capability.why_not);
      }
    }
    return complains(list);
  });
  INFO((outcome ? "" : outcome.error().what));
  CHECK(outcome);
}

TEST_CASE("an attempt that dies or fails is reported, not believed") {
  CHECK(attempt::child([]() -> Result<> { return {}; }));
  const auto failed = attempt::child([] { return Result<>(fail_errno("trying", EPERM)); });
  REQUIRE_FALSE(failed);
  CHECK(failed.error().system == EPERM);
  CHECK(failed.error().what.find("trying") == 0);
  const auto died = attempt::child([]() -> Result<> {
    ::raise(SIGKILL);
    return {};
  });
  REQUIRE_FALSE(died);
}
