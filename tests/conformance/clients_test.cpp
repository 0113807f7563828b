// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "harness/store/testing/directory.hpp"
#include "protocol/client.hpp"
#include "protocol/testing/fixture.hpp"
#include "tests/conformance/ends.hpp"

/// Two clients at once, which write and read different files through one server, on every lane. Afterwards all files of
/// the server are compared with what each client has sent: what one of them sends must never be found with the other.
namespace waggle::conformance {
namespace {

using protocol::Client;
using protocol::testing::content_of;
using protocol::testing::memory_file;
using store::random_text;

using Files = std::map<std::string, std::string>;

constexpr std::array<std::size_t, 8> kSizes{0, 1, 5000, 65'536, 65'537, 262'144, 262'145, 1'500'003};
constexpr std::size_t kSmall = 24;
constexpr std::size_t kCommon = 2'000'003;

std::string content(int who, std::uint64_t which, std::size_t size) {
  return random_text(size, static_cast<std::uint64_t>(who) * 1000 + which + 1);
}

/// What a client does, and the files that it must have left on the server.
class Customer {
 public:
  Customer(const Lane& lane, const Endpoint& server, int who, std::string common)
      : who_(who), common_(std::move(common)), client_(open(lane, server)) {}

  Files operator()() {
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
      put(name("file", i), content(who_, i, kSizes.at(i)));
      change(name("file", i), i);
      get("common", common_);
      get(name("file", i / 2), files_.at(name("file", i / 2)));
    }
    put_many();
    must(client_.rename(name("file", 0), name("moved", 0)), "cannot rename");
    files_[name("moved", 0)] = files_.extract(name("file", 0)).mapped();
    must(client_.remove(name("small", 3)), "cannot remove");
    files_.erase(name("small", 3));
    for (const auto& [path, right] : files_) {
      get(path, right);
    }
    return files_;
  }

 private:
  static Client open(const Lane& lane, const Endpoint& server) {
    auto channel = must(lane.connect(server, lane.options), "cannot connect");
    return must(Client::open(std::move(channel), {.token = kToken}), "the server does not let a client in");
  }
  std::string name(std::string_view what, std::size_t which) const {
    return std::string(what) + "-" + std::to_string(who_) + "-" + std::to_string(which);
  }

  void put(const std::string& path, std::string bytes) {
    const UniqueFd from = memory_file(bytes);
    must(client_.upload(path, from.get(), bytes.size(), {.extent = 400'000}), "cannot put " + path);
    files_[path] = std::move(bytes);
  }
  void get(const std::string& path, const std::string& right) {
    const UniqueFd to = memory_file();
    must(client_.download(path, {Incoming::Sink::file, SharedFd::duplicate(to.get())}), "cannot get " + path);
    must(content_of(to.get()) == right, path + " is not what was put there");
  }
  /// In place, in the middle.
  void change(const std::string& path, std::size_t which) {
    std::string& bytes = files_.at(path);
    if (bytes.size() < 1000) {
      return;
    }
    const std::size_t offset = bytes.size() / 3;
    const std::string fresh = content(who_, 100 + which, bytes.size() / 3);
    const UniqueFd from = memory_file(std::string(offset, '\0') + fresh);
    const auto file = must(client_.lookup(path, true), "cannot open " + path);
    must(client_.write(file, offset, fresh.size(), from.get()), "cannot write into " + path);
    must(client_.release(file), "cannot release");
    bytes.replace(offset, fresh.size(), fresh);
  }
  void put_many() {
    const auto source = [&](std::size_t i) -> Result<Client::Small> {
      files_[name("small", i)] = content(who_, 200 + i, i * 321);
      return Client::Small{name("small", i), memory_file(files_[name("small", i)]), i * 321, 0644};
    };
    must(client_.store_many(kSmall, source, [](std::size_t, std::uint64_t) { return Result<>(); }), "cannot put many");
  }

  int who_;
  std::string common_;
  Client client_;
  Files files_;
};

void compare(const std::filesystem::path& directory, const Files& right) {
  for (const auto& [path, bytes] : right) {
    must(store::read_file(directory / path) == bytes, path + " is not what its client has sent");
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    must(right.contains(entry.path().filename()), entry.path().filename().string() + " was never sent");
  }
}

void two_at_once(const Lane& lane, const Endpoint& server, const std::filesystem::path& directory,
                 const std::string& common) {
  std::array<std::future<Files>, 2> customers;
  for (int who = 0; who < 2; ++who) {
    customers.at(static_cast<std::size_t>(who)) =
        std::async(std::launch::async, [&, who] { return Customer(lane, server, who, common)(); });
  }
  Files right{{"common", common}};
  for (auto& customer : customers) {
    right.merge(customer.get());
  }
  compare(directory, right);
}

std::string run(const Lane& lane) {
  const store::TestDirectory directory;
  const std::string common = random_text(kCommon, 7);
  store::write_file(directory / "common", common);
  return run_server(lane, lane.options, directory.path(), [&](const Endpoint& server, protocol::Server*) {
    two_at_once(lane, server, directory.path(), common);
  });
}

TEST_CASE("what two clients send at once is what the server stores, each for itself") {
  for (const auto& [lane, broken] : on_all(lanes_once(), run)) {
    INFO(lane);
    CHECK(broken == "");
  }
}

}  // namespace
}  // namespace waggle::conformance
