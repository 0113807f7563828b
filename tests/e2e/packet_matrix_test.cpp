// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/testing/require.hpp"
#include "datapaths/datapath.hpp"
#include "harness/topology/link.hpp"
#include "tests/e2e/impaired_link.hpp"

/// Whole transfers by the program itself, `harness serve` in one namespace and `harness get` in the other: every packet
/// datapath with every other one, then all of them and TCP through a link that loses, doubles and reorders.
namespace waggle {
namespace {

namespace fs = std::filesystem;

constexpr auto kDeadline = std::chrono::seconds(60);

/// The packet datapaths that run over a veth: those of a new port as well.
std::vector<std::string> ports() {
  std::vector<std::string> names;
  for (const Datapath* datapath : datapaths()) {
    const auto links = datapath->links();
    if (datapath->carrier() == Carrier::packet && std::ranges::find(links, "veth") != links.end()) {
      names.emplace_back(datapath->name());
    }
  }
  return names;
}

constexpr int kMissing = 3;  ///< the program's exit code for what this machine lacks

std::string harness() {
  const char* path = std::getenv("WAGGLE_HARNESS");
  REQUIRE(path != nullptr);
  return path;
}

/// A directory that goes with this object.
struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "matrix-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  fs::path path;
};

void make_file(const fs::path& path, std::size_t size) {
  std::mt19937_64 random(size);
  std::vector<std::uint64_t> words(size / sizeof(std::uint64_t) + 1);
  std::ranges::generate(words, std::ref(random));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(size));
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The program in a network namespace, with its output; killed with this object.
class Program {
 public:
  Program(const topology::NetworkNamespace& where, const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    output_.reset(ends[0]);
    const UniqueFd writes(ends[1]);
    std::string program = harness();
    std::vector<std::string> all{program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    std::ranges::transform(all, std::back_inserter(argv), [](std::string& text) { return text.data(); });
    argv.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(writes.get(), STDOUT_FILENO);
      ::dup2(writes.get(), STDERR_FILENO);
      ::setns(where.fd(), CLONE_NEWNET);
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
  }
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Output up to a newline or, with `all`, up to its end.
  std::string read(bool all) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (all || text_.find('\n') == std::string::npos) {
      pollfd wait{.fd = output_.get(), .events = POLLIN, .revents = 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      std::array<char, 4096> buffer{};
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
        FAIL("the program hangs; it has said: " << text_);
      }
      const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
      if (n <= 0) {
        break;
      }
      text_.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text_;
  }
  int exit_code() {
    read(true);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void terminate() const { ::kill(pid_, SIGTERM); }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
  std::string text_;
};

struct Ends {
  const topology::NetworkNamespace& server;
  const topology::NetworkNamespace& client;
  std::string address;
};

/// Tells why a datapath is left out, once; where everything must run that is a failure.
void leave_out(const std::string& datapath, const std::string& why) {
  static std::set<std::string> told;
  const char* required = std::getenv("WAGGLE_REQUIRE_ALL");
  if (required != nullptr && required[0] == '1') {
    FAIL(datapath << " cannot run: " << why);
  }
  if (told.insert(datapath).second) {
    std::cerr << "skipped: " << datapath << ": " << why;
  }
}

/// Serves with one datapath, fetches with another and compares. Returns the goodput in bits per second, 0 when it was
/// left out.
double transfer(const Ends& ends, const std::string& at_server, const std::string& at_client, std::size_t size) {
  INFO(at_server << " -> " << at_client);
  const Place place;
  const fs::path served = place.path / "served";
  fs::create_directory(served);
  make_file(served / "file", size);
  Program server(ends.server, {"serve", "--root=" + served.string(), "--listen=" + ends.address + ":0", "--anybody",
                               "--read-only", "--json", "--datapath=" + at_server, "--link=veth"});
  const auto ready = nlohmann::json::parse(server.read(false), nullptr, false);
  if (!ready.is_object()) {
    const std::string said = server.read(true);
    INFO(said);
    REQUIRE(server.exit_code() == kMissing);
    leave_out(at_server, said);
    return 0;
  }
  const fs::path got = place.path / "got";
  Program client(ends.client, {"get", ends.address + ":" + std::to_string(ready.at("port").get<int>()) + "/file",
                               got.string(), "--json", "--datapath=" + at_client, "--link=veth"});
  const std::string said = client.read(true);
  const int code = client.exit_code();
  if (code == kMissing) {
    leave_out(at_client, said);
    return 0;
  }
  INFO(said);
  REQUIRE(code == 0);
  CHECK(read_file(got) == read_file(served / "file"));
  server.terminate();
  CHECK(server.exit_code() == 0);
  const auto result = nlohmann::json::parse(said, nullptr, false);
  return result.is_object() ? result.value("goodput_bits_per_second", 0.0) : 0;
}

/// Who serves and who fetches: every two. With WAGGLE_PORT_PAIRS=each every one of them serves once and fetches once,
/// for builds in which all of them would take minutes and tell nothing more.
std::vector<std::pair<std::string, std::string>> pairs() {
  const char* asked = std::getenv("WAGGLE_PORT_PAIRS");
  const bool each = asked != nullptr && std::string_view(asked) == "each";
  const auto all = ports();
  std::vector<std::pair<std::string, std::string>> chosen;
  for (std::size_t server = 0; server < all.size(); ++server) {
    for (std::size_t client = 0; client < all.size(); ++client) {
      if (!each || client == (server + 1) % all.size()) {
        chosen.emplace_back(all[server], all[client]);
      }
    }
  }
  return chosen;
}

}  // namespace

TEST_CASE("every packet datapath fetches from every other") {
  const auto link = topology::Link::create({});
  if (!link) {
    test::cannot_run(link.error());
  }
  for (const auto& [server, client] : pairs()) {
    transfer({link->server(), link->client(), link->server_address()}, server, client, 16 * 1024 * 1024 + 12'345);
  }
}

TEST_CASE("every datapath gets a file through a link that loses, doubles and reorders") {
  const auto link = test::ImpairedLink::create({.loss = 10, .duplicate = 10, .reorder = 10, .seed = 7});
  if (!link) {
    test::cannot_run(link.error());
  }
  const Ends ends{link->server(), link->client(), link->server_address()};
  for (const auto& [server, client] : pairs()) {
    transfer(ends, server, client, 4 * 1024 * 1024 + 321);
  }
  for (const auto* datapath : {"sendfile", "read_write"}) {
    transfer(ends, datapath, datapath, 4 * 1024 * 1024 + 321);
  }
  const auto fates = link->to_client();
  CHECK(fates.lost > 0);
  CHECK(fates.doubled > 0);
  CHECK(fates.late > 0);
}

/// Side by side with TCP on the same link, both with CUBIC: what is printed is evidence, what is asserted is progress.
TEST_CASE("one packet in a hundred is lost") {
  const auto link = test::ImpairedLink::create({.loss = 10, .duplicate = 0, .reorder = 0, .seed = 11});
  if (!link) {
    test::cannot_run(link.error());
  }
  const Ends ends{link->server(), link->client(), link->server_address()};
  for (const auto* datapath : {"udp", "afxdp", "read_write"}) {
    const double goodput = transfer(ends, datapath, datapath, 16 * 1024 * 1024);
    std::cout << datapath << " with 1 % loss: " << goodput / 1e6 << " Mbit/s\n";
    CHECK(goodput > 1e6);
  }
}

}  // namespace waggle
