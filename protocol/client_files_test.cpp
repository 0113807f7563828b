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

std::string text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("many small files are fetched in order, without a round trip each", "[client]") {
  Connected connected;
  connected.tree->knows_digests = GENERATE(false, true);
  connected.client_options.pipeline = GENERATE(1U, 7U, 128U);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < 300; ++i) {
    paths.push_back("tree/" + std::to_string(i));
    connected.tree->put(paths.back(), noise(i * 50));
  }
  auto client = connected.open();
  REQUIRE(client);
  std::size_t next = 0;
  REQUIRE(client->fetch_many(paths, [&](const Client::Fetched& fetched) -> Result<> {
    CHECK(fetched.index == next);
    CHECK(text(fetched.content) == noise(50 * next));
    CHECK(fetched.attributes.size == 50 * next);
    ++next;
    return {};
  }));
  CHECK(next == paths.size());
  SECTION("an error of the caller stops it and leaves the connection usable") {
    int calls = 0;
    const auto stopped = client->fetch_many(paths, [&](const Client::Fetched&) -> Result<> {
      return ++calls == 5 ? fail(Fault::cancelled, "enough") : Result<>{};
    });
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().what == "enough");
    CHECK(calls == 5);
    CHECK(client->getattr("tree/1"));
  }
  SECTION("a missing file is named") {
    paths[100] = "tree/none";
    const auto failed = client->fetch_many(paths, [](const Client::Fetched&) -> Result<> { return {}; });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().fault == Fault::not_found);
    CHECK(failed.error().what == "cannot open tree/none: No such file or directory");
    CHECK(client->getattr("tree/1"));
  }
  SECTION("a file that is not small is refused") {
    connected.tree->put("tree/5", noise(kMaxView + 1));
    const auto failed = client->fetch_many(paths, [](const Client::Fetched&) -> Result<> { return {}; });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().fault == Fault::usage);
    CHECK(failed.error().what == "tree/5: a file of 65537 bytes is not small");
  }
  client = fail(Fault::cancelled, "");
  CHECK(connected.served());
  CHECK(connected.left_open == 0);
}

TEST_CASE("many small files are stored", "[client]") {
  Connected connected;
  connected.client_options.pipeline = GENERATE(1U, 7U, 128U);
  auto client = connected.open();
  REQUIRE(client);
  const auto source = [](std::size_t index) -> Result<Client::Small> {
    return Client::Small{"up/" + std::to_string(index), memory_file(noise(index * 50)), index * 50, 0640};
  };
  std::size_t next = 0;
  const auto done = [&](std::size_t index, std::uint64_t) -> Result<> {
    CHECK(index == next++);
    return {};
  };
  SECTION("all") {
    REQUIRE(client->store_many(300, source, done));
    CHECK(next == 300);
    for (std::size_t i = 0; i < 300; ++i) {
      CHECK(connected.tree->get("up/" + std::to_string(i)) == noise(i * 50));
    }
    CHECK(client->getattr("up/7")->mode == 0640);
  }
  SECTION("refused") {
    connected.tree->create_fails = Error{Fault::denied, "cannot create it: Permission denied"};
    const auto stored = client->store_many(300, source, done);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().fault == Fault::denied);
    CHECK(stored.error().what == "up/0: cannot create it: Permission denied");
    CHECK(next == 0);
    CHECK(client->mkdir("works", 0755));
  }
  SECTION("some turn out to have changed meanwhile, and keep what is there") {
    connected.tree->put("up/3", "as it was");
    std::vector<std::size_t> changed;
    const auto good_done = [&](std::size_t index, std::uint64_t) -> Result<> {
      CHECK(index % 10 != 3);
      ++next;
      return {};
    };
    REQUIRE(client->store_many(
        100,
        [&](std::size_t index) {
          auto small = source(index);
          if (index % 10 == 3) {
            small->still_right = [] { return fail(Fault::changed, "the file changed while it was sent"); };
          }
          return small;
        },
        good_done,
        [&](std::size_t index, const Error& error) -> Result<> {
          CHECK(error.fault == Fault::changed);
          changed.push_back(index);
          return {};
        }));
    CHECK(next == 90);
    CHECK(changed == std::vector<std::size_t>{3, 13, 23, 33, 43, 53, 63, 73, 83, 93});
    CHECK(connected.tree->get("up/3") == "as it was");
    CHECK(connected.tree->get("up/13") == "<none>");
    CHECK(connected.tree->get("up/99") == noise(99 * 50));
  }
}

TEST_CASE("a small file is on disk before it is done where that was asked for", "[client]") {
  Connected connected;
  auto client = connected.open();
  REQUIRE(client);
  REQUIRE(client->store_many(
      4,
      [](std::size_t index) -> Result<Client::Small> {
        return Client::Small{
            .path = std::to_string(index), .from = memory_file("x"), .size = 1, .durable = index % 2 == 1};
      },
      [](std::size_t, std::uint64_t) -> Result<> { return {}; }));
  CHECK(connected.tree->durable == std::set<std::string>{"1", "3"});
}

TEST_CASE("pipelined reads at random places are verified each", "[client]") {
  Connected connected;
  const std::string content = noise(1'000'000);
  connected.tree->put("file", content);
  auto client = connected.open();
  REQUIRE(client);
  const auto file = client->lookup("file");
  REQUIRE(file);
  std::size_t asked = 0;
  std::vector<std::uint64_t> got;
  REQUIRE(client->read_many(
      *file, 8,
      [&](Client::ReadRequest& request) {
        request = {asked * 40'000, 50'000};
        return asked++ < 30;
      },
      [&](const Transferred& moved) -> Result<> {
        got.push_back(moved.bytes);
        return {};
      }));
  REQUIRE(got.size() == 30);
  CHECK(got[0] == 50'000);
  CHECK(got[24] == 40'000);
  CHECK(got[29] == 0);
  CHECK(client->release(*file));
}

TEST_CASE("an open file is read, written in place and digested", "[client]") {
  Connected connected;
  std::string content = noise(700'000);
  connected.tree->put("file", content);
  auto client = connected.open();
  REQUIRE(client);
  const auto file = client->lookup("file", true);
  REQUIRE(file);
  const std::string patch = noise(1000);
  content.replace(5000, patch.size(), patch);
  const UniqueFd source = memory_file(std::string(5000, 'x') + patch);
  REQUIRE(client->write(*file, 5000, patch.size(), source.get()));
  CHECK(connected.tree->get("file") == content);
  const UniqueFd target = memory_file();
  const auto moved = client->read(*file, 0, 10'000'000, {Incoming::Sink::file, SharedFd::duplicate(target.get())});
  REQUIRE(moved);
  CHECK(moved->bytes == content.size());
  CHECK(content_of(target.get()) == content);
  const auto blocks = client->digests(*file, 0, content.size());
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 3);
  CHECK((*blocks)[2] == digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(content)).subspan(2 * kDigestBlock)));
  CHECK(client->sync(*file));
  CHECK(client->release(*file));
}

TEST_CASE("metadata calls do what they say", "[client]") {
  Connected connected;
  auto client = connected.open();
  REQUIRE(client);
  CHECK(client->mkdir("d", 0711));
  CHECK(client->mkdir("d", 0711).error().fault == Fault::exists);
  CHECK(client->create_empty("d/a", 0600));
  CHECK(client->rename("d/a", "d/b"));
  CHECK(client->truncate("d/b", 12));
  const auto changed =
      client->setattr("d/b", {.set_mode = true, .mode = 0644, .set_times = true, .modified_ns = -7, .accessed_ns = 9});
  REQUIRE(changed);
  CHECK(changed->mode == 0644);
  CHECK(changed->modified_ns == -7);
  CHECK(client->getattr("d/b")->size == 12);
  CHECK(client->remove("d/b"));
  CHECK(client->getattr("d/b").error().fault == Fault::not_found);
  CHECK(client->getattr("../etc/passwd").error().fault == Fault::denied);
  CHECK(client->getattr(std::string(5000, 'x')).error().fault == Fault::usage);
  for (int i = 0; i < 1200; ++i) {
    REQUIRE(client->create_empty("d/" + std::to_string(i), 0600));
  }
  CHECK(client->readdir("d")->size() == 1200);
  CHECK(client->features() == std::vector<std::string>{"xxh3-128", "sha256", "resume", "digests", "echo"});
}
