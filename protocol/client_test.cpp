// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/client.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

#include "protocol/codec.hpp"
#include "protocol/testing/fixture.hpp"
#include "protocol/testing/forwarding_channel.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;

namespace {

/// Notes the longest wait that it was asked for.
class Waiting final : public ForwardingChannel {
 public:
  Waiting(std::unique_ptr<Channel> inner, std::chrono::nanoseconds& longest)
      : ForwardingChannel(std::move(inner)), longest_(longest) {}
  Result<Event> next(std::chrono::nanoseconds timeout) override {
    longest_ = std::max(longest_, timeout);
    return ForwardingChannel::next(timeout);
  }

 private:
  std::chrono::nanoseconds& longest_;
};

}  // namespace

TEST_CASE("a download arrives whole, whatever the server knows of its digest", "[client]") {
  const bool known = GENERATE(false, true);
  const bool taps = GENERATE(false, true);
  const auto kind = GENERATE(DigestKind::xxh3_128, DigestKind::sha256);
  const std::size_t size = GENERATE(0U, 1U, 65'536U, 262'144U, 1'000'001U);
  Connected connected({}, {.taps = taps});
  connected.client_options.digest = kind;
  Progress progress;
  connected.client_options.progress = &progress;
  connected.tree->knows_digests = known && size <= kDigestBlock;
  const std::string content = noise(size);
  connected.tree->put("file", content);
  auto client = connected.open();
  REQUIRE(client);
  const UniqueFd target = memory_file();
  const auto moved = client->download("file", {Incoming::Sink::file, SharedFd::duplicate(target.get())});
  REQUIRE(moved);
  CHECK(moved->bytes == size);
  CHECK(content_of(target.get()) == content);
  CHECK(progress.bytes == size);
  ExtentDigester expected(kind);
  expected.update(std::as_bytes(std::span(content)));
  CHECK(moved->digest == expected.finish());
}

TEST_CASE("payload that changes on the way is refused with both digests", "[client]") {
  const auto damage = [](std::vector<std::byte>& payload) { payload[payload.size() / 2] ^= std::byte{1}; };
  SECTION("download") {
    Connected connected({}, {.on_payload = damage});
    connected.tree->put("file", noise(100'000));
    auto client = connected.open();
    REQUIRE(client);
    const auto moved = client->download("file", {});
    REQUIRE_FALSE(moved);
    CHECK(moved.error().fault == Fault::corrupt);
    CHECK_THAT(moved.error().what,
               Catch::Matchers::Matches("file: the payload arrived damaged: its digest is [0-9a-f]{32} here and "
                                        "[0-9a-f]{32} at the sender"));
    CHECK(client->getattr("file"));  // the connection is still good
  }
  SECTION("small file") {
    Connected connected({}, {.on_payload = damage});
    connected.tree->knows_digests = GENERATE(false, true);
    connected.tree->put("file", noise(1000));
    auto client = connected.open();
    REQUIRE(client);
    const std::vector<std::string> paths{"file"};
    bool shown = false;
    const auto fetched = client->fetch_many(paths, [&](const Client::Fetched&) -> Result<> {
      shown = true;
      return {};
    });
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().fault == Fault::corrupt);
    CHECK_FALSE(shown);
  }
  SECTION("upload") {
    Connected connected({.on_payload = damage}, {});
    auto client = connected.open();
    REQUIRE(client);
    const UniqueFd source = memory_file(noise(1'000'000));
    const auto moved = client->upload("file", source.get(), 1'000'000, {});
    REQUIRE_FALSE(moved);
    CHECK(moved.error().fault == Fault::corrupt);
    CHECK_THAT(moved.error().what, Catch::Matchers::StartsWith("file: the payload arrived damaged"));
    CHECK(connected.tree->get("file") == "<none>");
    CHECK(client->mkdir("still-works", 0755));
  }
}

TEST_CASE("a file that shrinks or changes while it is sent is named", "[client]") {
  std::shared_ptr<Tree> tree;
  std::uint64_t size_then = 0;
  Connected connected({}, {.before_payload = [&] {
                        const std::lock_guard lock(tree->mutex);
                        ::ftruncate(tree->nodes["file"]->content.get(), static_cast<off_t>(size_then));
                      }});
  tree = connected.tree;
  tree->put("file", noise(500'000));
  auto client = connected.open();
  REQUIRE(client);
  size_then = GENERATE(0U, 1000U, 600'000U);
  const auto moved = client->download("file", {});
  REQUIRE_FALSE(moved);
  CHECK(moved.error().fault == Fault::changed);
  CHECK_THAT(moved.error().what, Catch::Matchers::StartsWith("file: the file "));
  CHECK(client->getattr("file"));
}

TEST_CASE("an upload appears whole and verified, or not at all", "[client]") {
  Connected connected;
  auto client = connected.open();
  REQUIRE(client);
  const std::size_t size = GENERATE(0U, 1U, 262'144U, 262'145U, 3'000'000U);
  const std::string content = noise(size);
  const UniqueFd source = memory_file(content);
  SECTION("whole") {
    const auto moved = client->upload("file", source.get(), size, {.extent = kDigestBlock});
    REQUIRE(moved);
    CHECK(moved->bytes == size);
    CHECK(connected.tree->get("file") == content);
  }
  SECTION("source shorter than promised") {
    const auto moved = client->upload("file", source.get(), size + 1, {});
    REQUIRE_FALSE(moved);
    CHECK(moved.error().fault == Fault::changed);
    CHECK(connected.tree->get("file") == "<none>");
    CHECK(client->create_empty("works", 0600));
  }
}

TEST_CASE("a full disk in the middle of an upload is told, and leaves no file", "[client]") {
  int extents = 0;
  Connected connected({}, {.on_sink = [&](const Incoming&) -> Result<> {
                        return ++extents < 3 ? Result<>{} : fail_errno("cannot write", ENOSPC);
                      }});
  auto client = connected.open();
  REQUIRE(client);
  const UniqueFd source = memory_file(noise(5'000'000));
  const auto moved = client->upload("file", source.get(), 5'000'000, {.extent = kDigestBlock});
  REQUIRE_FALSE(moved);
  CHECK(moved.error().fault == Fault::no_space);
  CHECK(moved.error().what == "file: cannot write: No space left on device");
  CHECK(connected.tree->get("file") == "<none>");
  CHECK(client->getattr("file").error().fault == Fault::not_found);
}

TEST_CASE("a resumed upload sends only what is missing or differs", "[client]") {
  const std::string content = noise(5'000'000);
  const UniqueFd source = memory_file(content);
  auto tree = std::make_shared<Tree>();
  {
    int extents = 0;
    Connected broken({.on_message =
                          [&](std::vector<std::byte>& message) {
                            // After eight WRITEs nothing goes out any more.
                            extents += message[0] == std::byte{0x14} ? 1 : 0;
                            return extents <= 8;
                          }},
                     {});
    broken.tree = tree;
    broken.client_options.timeout = std::chrono::milliseconds(100);
    auto client = broken.open();
    REQUIRE(client);
    const auto moved = client->upload("file", source.get(), content.size(), {.extent = kDigestBlock});
    REQUIRE_FALSE(moved);
    CHECK(moved.error().fault == Fault::timeout);
    CHECK_THAT(moved.error().what, Catch::Matchers::StartsWith("upload: "));
    client = fail(Fault::cancelled, "");
    CHECK(broken.served());
    CHECK(broken.left_open == 0);
  }
  REQUIRE(tree->unfinished.contains("file"));
  // One of the blocks that arrived has rotted since.
  ::pwrite(tree->unfinished["file"]->content.get(), "rot", 3, 300'000);
  std::uint64_t sent = 0;
  Connected again({.on_payload = [&](std::vector<std::byte>& payload) { sent += payload.size(); }}, {});
  again.tree = tree;
  auto client = again.open();
  REQUIRE(client);
  const auto moved = client->upload("file", source.get(), content.size(), {.resume = true, .extent = kDigestBlock});
  REQUIRE(moved);
  CHECK(tree->get("file") == content);
  CHECK(sent == content.size() - 7 * kDigestBlock);
}

TEST_CASE("a directory without an end is not listed, and the connection goes on", "[client]") {
  MessageBuffer buffer;
  Connected connected({}, {.on_message = [&](std::vector<std::byte>& message) {
                        const auto any = decode_any(message);
                        if (any && any->head.op == Op::entries) {
                          auto page = std::get<Entries>(any->body);
                          page.next_cookie = 1;
                          const auto again = encode(buffer, any->head.request, page);
                          message.assign(again->begin(), again->end());
                        }
                        return true;
                      }});
  for (int i = 0; i < 600; ++i) {
    connected.tree->put(std::to_string(i), "");
  }
  auto client = connected.open();
  REQUIRE(client);
  const auto listed = client->readdir("");
  REQUIRE_FALSE(listed);
  CHECK(listed.error().fault == Fault::usage);
  CHECK_THAT(listed.error().what, Catch::Matchers::Contains("more than 1048576 names"));
  CHECK(client->getattr("0"));
}

TEST_CASE("what the server says before it goes is told, whoever notices first that it is gone", "[client]") {
  bool damage = false;
  Connected connected({.on_message = [&](std::vector<std::byte>& message) {
    message.resize(damage ? 3 : message.size());
    return true;
  }});
  auto client = connected.open();
  REQUIRE(client);
  damage = true;
  REQUIRE(client->echo_send({}, 0));
  CHECK_FALSE(connected.served());
  const auto sent = client->echo_send({}, 0);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().fault == Fault::protocol);
  CHECK(sent.error().what != "the peer has closed");
  CHECK(client->echo_wait({}, 0, std::chrono::seconds(0)).error().fault == Fault::protocol);
}

TEST_CASE("a client waits longer for what takes a slow disk longer", "[client]") {
  constexpr std::size_t kMiB = 1024 * 1024;
  Connected connected;
  connected.client_options.timeout = std::chrono::minutes(1);
  std::chrono::nanoseconds longest{0};
  connected.pair.client = std::make_unique<Waiting>(std::move(connected.pair.client), longest);
  auto client = connected.open();
  REQUIRE(client);
  const auto more = [&] {
    const auto waited = std::exchange(longest, std::chrono::nanoseconds(0)) - connected.client_options.timeout;
    return std::chrono::duration<double>(waited).count();
  };
  CHECK(more() == 0);
  constexpr std::size_t kSize = 5 * kMiB;
  const UniqueFd source = memory_file(noise(kSize));
  REQUIRE(client->upload("file", source.get(), kSize, {}));
  CHECK(more() == 0);
  REQUIRE(client->upload("file", source.get(), kSize, {.durable = true}));
  CHECK(more() == 5);
  REQUIRE(client->getattr("file"));
  const auto file = client->lookup("file", true);
  REQUIRE(file);
  CHECK(more() == 0);
  REQUIRE(client->sync(*file));
  CHECK(more() == 5);
  REQUIRE(client->digests(*file, kMiB, 3 * kMiB));
  CHECK(more() == 3);
  REQUIRE(client->read(*file, kMiB, 2 * kMiB, {}));
  CHECK(more() == 3);
  REQUIRE(client->write(*file, 0, 2 * kMiB, source.get()));
  CHECK(more() == 0);
}

TEST_CASE("echoes come back in order and in the size asked for", "[client]") {
  Connected connected;
  auto client = connected.open();
  REQUIRE(client);
  const std::string request = noise(64);
  const auto bytes = std::as_bytes(std::span(request));
  CHECK(client->echo(bytes, 10));
  CHECK(client->echo(bytes, kMaxMessage - kHeadSize));
  CHECK(client->echo(bytes, kMaxMessage).error().fault == Fault::usage);
  REQUIRE(client->echo_send(bytes, 1));
  REQUIRE(client->echo_send(bytes, 2));
  CHECK(*client->echo_wait(bytes, 1, std::chrono::seconds(10)));
  CHECK(*client->echo_wait(bytes, 2, std::chrono::seconds(10)));
  CHECK_FALSE(*client->echo_wait(bytes, 2, std::chrono::nanoseconds(0)));
  REQUIRE(client->echo_send(bytes, 40));
  const std::string other(64, 'x');
  CHECK(client->echo_wait(std::as_bytes(std::span(other)), 40, std::chrono::seconds(10)).error().fault ==
        Fault::corrupt);
}
