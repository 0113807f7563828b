// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace waggle::perf {

/// Writes down what a bare loop has reached, where the harness looks for the ceiling of its datapath
/// (harness/experiment/ceiling.hpp): results/loops, below $WAGGLE_RESULTS when that is set. The latest of a kind
/// replaces the one before. `packet`: bytes of the UDP payload; `goodput`: bit/s of payload behind our transport's
/// header.
inline void record_loop(const std::string& datapath, const std::string& link, std::uint32_t packet,
                        const std::string& how, double goodput) {
  const char* const results = std::getenv("WAGGLE_RESULTS");
  const auto place = std::filesystem::path(results != nullptr && *results != '\0' ? results : "results") / "loops";
  std::error_code error;
  std::filesystem::create_directories(place, error);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::string file = fmt::format("{}-{}-{}-{}.json", datapath, link, packet, how);
  for (char& c : file) {
    c = c == ' ' || c == ',' || c == '/' ? '_' : c;
  }
  std::ofstream(place / file) << fmt::format(
      R"({{"schema": "waggle-loop/1", "datapath": "{}", "link": "{}", "packet": {}, "how": "{}", )"
      R"("goodput_bits_per_second": {:.0f}, "created": "{:%Y-%m-%dT%H:%M:%SZ}", "boot": "{}"}})"
      "\n",
      datapath, link, packet, how, goodput, fmt::gmtime(std::time(nullptr)), boot);
}

}  // namespace waggle::perf
