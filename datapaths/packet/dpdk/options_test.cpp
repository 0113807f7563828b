// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/options.hpp"

#include <catch2/catch.hpp>

#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/vhost.hpp"

using namespace waggle;
using namespace waggle::packet::dpdk;

namespace {

Result<Options> read(std::map<std::string, std::string> set, bool listens = true, std::uint32_t mtu = 0,
                     const std::string& link = "vhost", std::uint32_t device_mtu = 0) {
  ChannelOptions channel;
  channel.link = link;
  channel.mtu = mtu;
  for (const auto& [name, value] : set) {
    channel.settings["dpdk." + name] = value;
  }
  const auto settings = Settings::of("dpdk", option_list(), channel);
  return settings ? read_options(*settings, channel, listens, device_mtu) : std::unexpected(settings.error());
}

}  // namespace

TEST_CASE("defaults fit together and into the hugepages that are asked for") {
  for (const bool listens : {true, false}) {
    const auto options = read({}, listens);
    REQUIRE(options);
    CHECK(options->packet() == options->mtu - 28);
    CHECK(options->data_room >= 128 + 14 + options->mtu);
    CHECK(options->rx_descriptors == options->tx_descriptors);
    const std::uint64_t mbuf = options->data_room + 192U;
    CHECK(options->mbufs * mbuf < kHugepageBytes * 3 / 4);
    CHECK(options->clients == (listens ? 4 : 1));
  }
}

TEST_CASE("net_af_xdp's fill ring leaves mbufs to send from") {
  for (const std::uint32_t mtu : {1500U, 3400U}) {
    const auto options = read({{"driver", "af_xdp"}}, true, 0, "veth", mtu);
    REQUIRE(options);
    CHECK(options->mbufs >= 2048U + options->tx_descriptors + 256U);
    CHECK((options->data_room + 192U) * std::uint64_t{options->mbufs} < kHugepageBytes * 3 / 4);
  }
}

TEST_CASE("one end is net_vhost and the other net_virtio_user") {
  CHECK(read({{"vhost_end", "server"}}, true)->vhost_here);
  CHECK_FALSE(read({{"vhost_end", "server"}}, false)->vhost_here);
  CHECK_FALSE(read({{"vhost_end", "client"}}, true)->vhost_here);
  CHECK(read({{"vhost_end", "client"}}, false)->vhost_here);
}

TEST_CASE("the MTU comes from the user, then from the device") {
  CHECK(read({}, true, 9000)->mtu == 9000);
  CHECK(read({}, true, 0, "veth", 3400)->mtu == 3400);
  CHECK(read({}, true, 9000)->rx_descriptors >= read({}, true, 65'000)->rx_descriptors);
  CHECK(read({{"driver", "af_xdp"}}, true, 0, "veth", 3400)->rx_descriptors >= 1024);
  CHECK(read({}, true, 1000).error().fault == Fault::missing);
  CHECK(read({}, true, 70'000).error().fault == Fault::usage);
}

TEST_CASE("direct frames have room to be aligned") {
  CHECK(read({{"direct", "yes"}})->data_room >= read({})->data_room + 448);
}

TEST_CASE("nonsense is refused with what would do") {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"wait", "sometimes"},
                                                                      {"vhost_end", "both"},
                                                                      {"ring", "open"},
                                                                      {"driver", "af_pigeon"},
                                                                      {"rx_descriptors", "100"},
                                                                      {"mbufs", "10"},
                                                                      {"data_room", "64"},
                                                                      {"lcores", "zero"},
                                                                      {"clients", "0"},
                                                                      {"feathers", "1"}}) {
    INFO(name);
    const auto options = read({{name, value}});
    REQUIRE_FALSE(options);
    CHECK(options.error().fault == Fault::usage);
    CHECK_FALSE(options.error().hint.empty());
  }
}

TEST_CASE("paths that cannot be vhost-user sockets are refused") {
  CHECK(Place::of_listener("").error().fault == Fault::usage);
  CHECK(Place::of_listener("/tmp/a,b").error().fault == Fault::usage);
  CHECK(Place::of_listener(std::string(200, 'x')).error().fault == Fault::usage);
  CHECK(Place::of_client("/nonexistent/vhost").error().fault == Fault::peer_gone);
}

TEST_CASE("Ethernet addresses follow from IPv4 addresses") {
  CHECK(vhost_mac(0x0A4D0102) == std::array<std::uint8_t, 6>{0x02, 0x00, 10, 77, 1, 2});
}
