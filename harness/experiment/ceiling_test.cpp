// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/ceiling.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/experiment/recorded.hpp"

using namespace waggle::experiment;
using nlohmann::json;

TEST_CASE("a ceiling counts the headers of a line, or is what a bare loop has reached") {
  const auto facts = [](std::vector<waggle::record::Mode> modes) {
    modes.push_back({"packet", "largest", "1472 bytes"});
    const waggle::record::Facts both{.outgoing = "afxdp", .incoming = "afxdp", .carrier = "packet", .modes = modes};
    auto parties = participants({"afxdp", "afxdp"}, true);
    for (auto& party : parties) {
      party.facts = both;
    }
    return parties;
  };
  // An Ethernet frame of 1,500 bytes takes 1,538 on the wire; 1,424 of them are payload.
  const auto most =
      ceiling(facts({{"line_rate", "auto", "10000000000"}, {"frame_overhead", "auto", "66"}}), "nic", 5e9, {});
  REQUIRE(most);
  CHECK(most->goodput_bits_per_second == Approx(1e10 * 1424 / 1538));
  CHECK(most->share == Approx(0.54).epsilon(0.001));

  const std::vector<BareLoop> loops{{"afxdp", "veth", 1472, "copy", 8e9, "today"},
                                    {"afxdp", "veth", 1472, "none", 9e9, "today"},
                                    {"afxdp", "veth", 3372, "none", 19e9, "today"},
                                    {"dpdk", "veth", 1472, "empty", 90e9, "today"}};
  const auto bare = ceiling(facts({}), "veth", 4.5e9, loops);
  REQUIRE(bare);
  CHECK(bare->share == Approx(0.5));
  CHECK(bare->because == "the bare loop (none) with packets of 1472 bytes, today");
  CHECK_FALSE(ceiling(facts({}), "nic", 4.5e9, loops));
  CHECK_FALSE(ceiling(participants({"afxdp", "afxdp"}, true), "veth", 1, loops));
}

TEST_CASE("loops of another start of the machine, and files that are none, are left out") {
  const auto directory = std::filesystem::temp_directory_path() / (std::to_string(::getpid()) + "-loops");
  std::filesystem::create_directory(directory);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  json loop{{"schema", "waggle-loop/1"},
            {"datapath", "afxdp"},
            {"link", "veth"},
            {"packet", 1472},
            {"how", "copy"},
            {"created", "today"},
            {"boot", boot},
            {"goodput_bits_per_second", 8e9}};
  std::ofstream(directory / "good.json") << loop;
  loop["boot"] = "another";
  std::ofstream(directory / "old.json") << loop;
  std::ofstream(directory / "bad.json") << "{";
  std::ofstream(directory / "numbers.json") << R"({"schema": 1})";
  loop["boot"] = boot;
  loop["packet"] = nullptr;
  std::ofstream(directory / "null.json") << loop;
  REQUIRE(::mkfifo((directory / "fifo.json").c_str(), 0600) == 0);
  const auto loops = read_loops(directory);
  REQUIRE(loops.size() == 1);
  CHECK(loops[0].packet == 1472);
  CHECK(loops[0].goodput == 8e9);
  CHECK(read_loops(directory / "none").empty());
  std::filesystem::remove_all(directory);
}
