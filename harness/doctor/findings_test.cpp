// SPDX-License-Identifier: BSD-2-Clause
#include "harness/doctor/findings.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/doctor/findings_text.hpp"

namespace waggle::doctor {
namespace {

using measure::Capability;

const Capability kWorks{.name = "network namespaces", .need = "the links veth and loopback", .works = true};
const Capability kOptional{.name = "AF_XDP",
                           .need = "--datapath=afxdp",
                           .required = false,
                           .why_not = "built without libxdp",
                           .remedy = "apt install libxdp-dev"};
const Capability kRequired{.name = "tmpfs", .need = "--sink=tmpfs", .why_not = "not allowed"};

TEST_CASE("only what is required is lacking") {
  CHECK(Findings{.capabilities = {kWorks, kOptional}}.lacking().empty());
  CHECK(Findings{.capabilities = {kWorks, kOptional, kRequired}}.lacking() == std::vector<std::string>{"tmpfs"});
}

TEST_CASE("findings say what works, why not, and what would fix it") {
  const Findings findings{.capabilities = {kWorks, kOptional, kRequired},
                          .distance = Distance{.server = 0, .client = 2, .round_trip_ns = 76.4}};
  CHECK(findings_text(findings, {}) ==
        "yes  network namespaces  for the links veth and loopback\n"
        " no  AF_XDP              for --datapath=afxdp\n"
        "     built without libxdp\n"
        "     fix: apt install libxdp-dev\n"
        " NO  tmpfs               for --sink=tmpfs\n"
        "     not allowed\n"
        "     placement: a cache line takes 76 ns from CPU 0 to CPU 2 and back; the machine says that they share " +
            std::string(measure::text(measure::Shared::machine)) + "\n");
}

TEST_CASE("one CPU has no distance, a busy one none that could be measured") {
  CHECK(distance_text({.server = 3, .client = 3}, {}) ==
        "     placement: there is one CPU, 3, for server and client\n");
  CHECK(distance_text({.server = 0, .client = 1}, {}).find("too long, since they are busy") != std::string::npos);
}

TEST_CASE("findings as JSON are ready when nothing required is lacking") {
  const auto all = to_json(Findings{.capabilities = {kWorks, kOptional}});
  CHECK(all.at("ready") == true);
  CHECK(all.at("placement").is_null());
  CHECK(all.at("capabilities").at(1).at("remedy") == "apt install libxdp-dev");
  CHECK(to_json(Findings{.capabilities = {kRequired}}).at("ready") == false);
}

}  // namespace
}  // namespace waggle::doctor
