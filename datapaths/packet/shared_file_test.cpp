// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "datapaths/datapath.hpp"
#include "datapaths/testing/pair.hpp"

namespace waggle::packet {
namespace {

std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST_CASE("extents that nobody has acknowledged share the descriptor of their file") {
  const ChannelOptions options{.link = "loopback"};
  const Datapath& udp = *test::must(find_datapath("udp"));
  const auto listener = test::must(udp.listen({"127.0.0.1", 0}, options));
  std::unique_ptr<Channel> client;
  std::thread connecting([&] { client = test::must(udp.connect(listener->endpoint(), options)); });
  const auto server = test::must(listener->accept());
  connecting.join();
  const SharedFd file = SharedFd::duplicate(test::pattern_file(10'000).get());
  // Nobody is at the client to acknowledge anything.
  const auto before = descriptors();
  for (std::uint64_t i = 0; i < 5; ++i) {
    test::must(server->send(test::as_bytes("take"), {{1, i, 100}, file.get(), nullptr, file}));
  }
  CHECK(descriptors() == before);
}

}  // namespace
}  // namespace waggle::packet
