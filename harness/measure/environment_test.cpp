// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/environment.hpp"

#include <sys/utsname.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace waggle;

TEST_CASE("the environment names kernel, CPU and sysctls") {
  const auto facts = measure::environment();
  utsname system{};
  REQUIRE(::uname(&system) == 0);
  CHECK(facts.at("kernel") == system.release);
  CHECK(facts.at("cpu").at("online").get<int>() >= 1);
  CHECK(facts.at("memory_bytes").get<std::uint64_t>() > 1024 * 1024);
  CHECK(facts.at("sysctl").contains("net.ipv4.tcp_congestion_control"));
  CHECK(facts.at("libraries").contains("fmt"));
}

TEST_CASE("the revision is a commit or nothing") {
  const auto facts = measure::revision();
  const auto text = facts.at("revision").get<std::string>();
  CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK((text.empty() || text.size() == 40));
  CHECK(facts.at("dirty").is_boolean());
}

TEST_CASE("a device tells MTU, driver and offloads; an unknown one is not found") {
  const auto facts = measure::interface_facts("lo");
  REQUIRE(facts);
  CHECK(facts->at("mtu").get<int>() > 1000);
  CHECK_FALSE(facts->at("offloads").empty());
  const auto none = measure::interface_facts("nosuchdevice0");
  REQUIRE_FALSE(none);
  CHECK(none.error().fault == Fault::not_found);
}
