// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/stream/testing/ends.hpp"

/// Listening, connecting, and what of the options is granted.
namespace waggle::stream::testing {

TEST_CASE("a listener waits until it is aborted") {
  const auto listener = must(must(find_datapath("read_write"))->listen({"", 0}, {}));
  CHECK(must(must(find_datapath("read_write"))->connect({"127.0.0.1", listener->endpoint().port}, {})));
  CHECK(must(must(find_datapath("read_write"))->connect({"::1", listener->endpoint().port}, {})));
  std::thread other([&] { listener->abort(); });
  Result<std::unique_ptr<Channel>> accepted = listener->accept();
  while (accepted) {
    accepted = listener->accept();
  }
  other.join();
  CHECK(accepted.error().fault == Fault::cancelled);
}

TEST_CASE("what is set decides about copies where it decides about the way") {
  const auto sends = [](const char* mover, const std::string& link, std::map<std::string, std::string> settings) {
    const ChannelOptions options{.link = link, .settings = std::move(settings)};
    return must(find_datapath(mover))->copies(Side::sender, Incoming::Sink::file, true, options).kernel;
  };
  CHECK(sends("uring", "nic", {}) == 1);
  CHECK(sends("uring", "nic", {{"uring.send", "plain"}}) == 2);
  CHECK(sends("uring", "veth", {{"uring.send", "plain"}}) == 2);
  CHECK(sends("zerocopy", "nic", {}) == 0);
  CHECK(sends("zerocopy", "nic", {{"zerocopy.threshold", "1GiB"}}) == 1);
  CHECK(sends("zerocopy", "nic", {{"zerocopy.threshold", "nonsense"}}) == 0);  // refused when it is opened
}

TEST_CASE("set-up failures say what to do") {
  const Datapath* datapath = must(find_datapath("read_write"));
  const auto listener = must(datapath->listen({"127.0.0.1", 0}, {}));
  const auto twice = datapath->listen(listener->endpoint(), {});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().fault == Fault::busy);
  CHECK(twice.error().text().find("is in use; ") != std::string::npos);

  ChannelOptions options;
  options.congestion = "nonsense";
  CHECK(datapath->listen({"127.0.0.1", 0}, options).error().fault == Fault::missing);
  options.allow_fallback = true;
  const auto fallen = must(datapath->connect(listener->endpoint(), options));
  const auto modes = fallen->facts().modes;
  const auto congestion = std::ranges::find(modes, "congestion", &Mode::name);
  REQUIRE(congestion != modes.end());
  CHECK(congestion->requested == "nonsense");
  CHECK(congestion->granted != "nonsense");

  options = {};
  options.settings["read_write.bufer"] = "4KiB";
  CHECK(datapath->connect(listener->endpoint(), options).error().text().find("it has: buffer") != std::string::npos);
  options.settings = {{"read_write.buffer", "much"}};
  CHECK(datapath->connect(listener->endpoint(), options).error().fault == Fault::usage);
  options.settings = {{"nonsense.buffer", "4KiB"}};
  CHECK(datapath->connect(listener->endpoint(), options).error().fault == Fault::usage);
  options.settings = {};
  options.receive_with = "sendfile";
  CHECK(datapath->connect(listener->endpoint(), options).error().text().find("sendfile cannot receive") !=
        std::string::npos);
}

TEST_CASE("socket buffers are granted as asked") {
  ChannelOptions options;
  options.send_buffer = 300000;
  options.receive_buffer = 200000;
  Ends ends = open("read_write", options);
  for (const Mode& mode : ends.channel->facts().modes) {
    CHECK(mode.requested == mode.granted);
  }
}

}  // namespace waggle::stream::testing
