// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "harness/topology/link.hpp"
#include "harness/topology/mounts.hpp"
#include "harness/topology/offloads.hpp"
#include "harness/topology/page_cache.hpp"
#include "harness/topology/work_directory.hpp"

using namespace waggle;
using namespace waggle::topology;

namespace {

/// Ends the whole test program as skipped when the machine cannot make a namespace.
void need_namespaces() {
  const auto made = NetworkNamespace::create();
  if (!made && made.error().fault == Fault::missing) {
    std::fprintf(stderr, "skipped: %s\n", made.error().text().c_str());
    std::exit(std::getenv("WAGGLE_REQUIRE_ALL") != nullptr ? 1 : 77);
  }
}

/// Sends "bees" over TCP from one end of the link to the other.
std::string send_through(const Link& link) {
  UniqueFd listener;
  sockaddr_in at{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  ::inet_pton(AF_INET, link.server_address().c_str(), &at.sin_addr);
  REQUIRE(link.server().inside([&]() -> Result<> {
    listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socklen_t size = sizeof at;
    if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      return fail_errno("cannot listen");
    }
    return {};
  }));
  UniqueFd client;
  const auto connected = link.client().inside([&]() -> Result<> {
    client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(client.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::send(client.get(), "bees", 4, MSG_NOSIGNAL) != 4) {
      return fail_errno("cannot connect");
    }
    return {};
  });
  INFO((connected ? std::string("connected") : connected.error().text()));
  REQUIRE(connected);
  const UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
  char text[5] = {};
  REQUIRE(::recv(accepted.get(), text, 4, MSG_WAITALL) == 4);
  return text;
}

ino_t inode(int fd) {
  struct stat status{};
  REQUIRE(::fstat(fd, &status) == 0);
  return status.st_ino;
}

std::filesystem::path temporary() {
  const char* place = std::getenv("TMPDIR");
  return place != nullptr ? place : "/var/tmp";
}

}  // namespace

TEST_CASE("a veth link carries TCP between two namespaces and leaves nothing") {
  need_namespaces();
  const bool named_before = std::filesystem::exists("/run/netns");
  {
    const auto link = Link::create({.kind = "veth", .mtu = 3000});
    INFO((link ? std::string() : link.error().text()));
    REQUIRE(link);
    CHECK(inode(link->server().fd()) != inode(link->client().fd()));
    CHECK(send_through(*link) == "bees");
    for (const Mode& mode : link->modes()) {
      INFO(mode.name);
      CHECK(mode.requested == mode.granted);
    }
    CHECK(::if_nametoindex("waggle0") == 0);
  }
  CHECK(std::filesystem::exists("/run/netns") == named_before);
}

TEST_CASE("offloads are turned off and read back from the kernel") {
  need_namespaces();
  const auto link = Link::create({.kind = "veth", .mtu = 1500, .offloads = false});
  REQUIRE(link);
  CHECK(send_through(*link) == "bees");
  int off = 0;
  for (const Mode& mode : link->modes()) {
    off += mode.granted == "off" ? 1 : 0;
  }
  CHECK(off == 12);
}

TEST_CASE("a third host passes frames on, and says what it does to them") {
  need_namespaces();
  const auto link = Link::create({.kind = "veth", .offloads = false, .middle = Badness{.loss = 0.01, .reorder = 0.02}});
  INFO((link ? std::string() : link.error().text()));
  if (!link && link.error().what.find("needs BPF") != std::string::npos) {
    WARN(link.error().text());
    return;
  }
  REQUIRE(link);
  CHECK(link->device() == "waggle0");
  CHECK(send_through(*link) == "bees");
  const auto granted = [&](const char* name) { return std::ranges::find(link->modes(), name, &Mode::name)->granted; };
  CHECK(granted("loss") == "0.01");
  CHECK(granted("reorder") == "0.02");
  CHECK(granted("client tso") == "off");
}

TEST_CASE("a link tells what somebody has changed since it was set up") {
  need_namespaces();
  const auto link = Link::create({});
  REQUIRE(link);
  for (const auto end : {Link::End::server, Link::End::client}) {
    CHECK(link->changed(end)->empty());
  }
  REQUIRE(link->server().inside([&]() -> Result<> {
    WAGGLE_TRY(set_offloads(link->device(), false));
    return {};
  }));
  const auto changed = link->changed(Link::End::server);
  REQUIRE(changed);
  const auto tso = std::ranges::find(*changed, "tso", &Mode::name);
  REQUIRE(tso != changed->end());
  CHECK(tso->requested == "on");
  CHECK(tso->granted == "off");
  CHECK(std::ranges::find(*changed, "mtu", &Mode::name) == changed->end());
  CHECK(Link::create({.kind = "vhost"})->changed(Link::End::server)->empty());
}

TEST_CASE("receive work moves into threads on a CPU of each end's own, and back") {
  need_namespaces();
  auto link = Link::create({});
  REQUIRE(link);
  for (const int round : {1, 2}) {
    INFO("round " << round);
    for (const auto end : {Link::End::server, Link::End::client}) {
      const auto mode = link->set_napi(end, Napi::threaded);
      REQUIRE(mode);
      CHECK(mode->granted == "threaded");
    }
    const auto server = link->pin_napi(Link::End::server, 0);
    const auto client = link->pin_napi(Link::End::client, static_cast<int>(std::thread::hardware_concurrency()) - 1);
    REQUIRE(server);
    REQUIRE(client);
    CHECK(server->granted == "0");
    CHECK(client->granted == client->requested);
    CHECK(send_through(*link) == "bees");
    for (const auto end : {Link::End::server, Link::End::client}) {
      CHECK(link->set_napi(end, Napi::softirq)->granted == "softirq");
    }
    CHECK(send_through(*link) == "bees");
  }
}

TEST_CASE("a device without NAPI says so, and a link without devices has no choice") {
  need_namespaces();
  auto bare = Link::create({.kind = "veth", .mtu = 1500, .offloads = false});
  REQUIRE(bare);
  CHECK(bare->set_napi(Link::End::server, Napi::threaded)->granted == "none");
  auto apart = Link::create({.kind = "vhost"});
  REQUIRE(apart);
  CHECK(apart->device().empty());
  CHECK(apart->server().fd() != apart->client().fd());
  CHECK(apart->set_napi(Link::End::server, Napi::softirq)->granted == "softirq");
  CHECK(apart->set_napi(Link::End::server, Napi::threaded).error().fault == Fault::missing);
}

TEST_CASE("a loopback link is one namespace of its own") {
  need_namespaces();
  const auto link = Link::create({.kind = "loopback", .mtu = 9000, .allow_fallback = true});
  REQUIRE(link);
  CHECK(inode(link->server().fd()) == inode(link->client().fd()));
  CHECK(send_through(*link) == "bees");
  CHECK(link->modes().front().granted == "9000");
}

TEST_CASE("a wrong link or MTU is an error with a remedy") {
  need_namespaces();
  CHECK(Link::create({.kind = "carrier-pigeon"}).error().fault == Fault::usage);
  const auto tiny = Link::create({.kind = "veth", .mtu = 12});
  REQUIRE_FALSE(tiny);
  CHECK(tiny.error().text().find("12") != std::string::npos);
}

TEST_CASE("mounts are seen by nobody else and go with the process") {
  need_namespaces();
  auto work = WorkDirectory::create(temporary());
  REQUIRE(work);
  const auto at = work->path() / "mount";
  REQUIRE(std::filesystem::create_directory(at));
  // In a thread: the thread that enters private mounts stays there.
  std::thread([&] {
    REQUIRE(enter_private_mounts());
    const auto mount = Mount::tmpfs(at, false);
    REQUIRE(mount);
    CHECK(mount->huge().granted == "never");
    std::ofstream(at / "inside") << "x";
    CHECK(std::filesystem::exists(at / "inside"));
  }).join();
  CHECK_FALSE(std::filesystem::exists(at / "inside"));
}

TEST_CASE("a file appears read-only in the place of another") {
  need_namespaces();
  auto work = WorkDirectory::create(temporary());
  REQUIRE(work);
  std::ofstream(work->path() / "original") << "content";
  std::ofstream(work->path() / "place") << "";
  std::thread([&] {
    REQUIRE(enter_private_mounts());
    const auto mount = Mount::bind_read_only(work->path() / "original", work->path() / "place");
    REQUIRE(mount);
    CHECK(std::filesystem::file_size(work->path() / "place") == 7);
    CHECK_FALSE(std::ofstream(work->path() / "place").is_open());
  }).join();
  CHECK(std::filesystem::file_size(work->path() / "place") == 0);
}

TEST_CASE("a work directory in use stays, one whose owner was killed is swept") {
  auto parent = WorkDirectory::create(temporary());
  REQUIRE(parent);
  std::filesystem::path kept;
  {
    const auto used = WorkDirectory::create(parent->path());
    REQUIRE(used);
    kept = used->path();
    std::filesystem::path left;
    int names[2];
    REQUIRE(::pipe(names) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto own = WorkDirectory::create(parent->path());
      const std::string name = own->path().string();
      (void)!::write(names[1], name.data(), name.size());
      ::kill(::getpid(), SIGKILL);
    }
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    char name[512] = {};
    REQUIRE(::read(names[0], name, sizeof name - 1) > 0);
    ::close(names[0]);
    ::close(names[1]);
    CHECK(std::filesystem::exists(name));
    const auto swept = WorkDirectory::sweep(parent->path());
    REQUIRE(swept);
    REQUIRE(swept->size() == 1);
    CHECK(swept->front() == std::filesystem::path(name));
    CHECK_FALSE(std::filesystem::exists(name));
    CHECK(std::filesystem::exists(kept));
  }
  CHECK_FALSE(std::filesystem::exists(kept));
}

TEST_CASE("sweeping leaves other people's names alone") {
  auto parent = WorkDirectory::create(temporary());
  REQUIRE(parent);
  std::filesystem::create_directory(parent->path() / "waggle-notes-of-mine");
  std::filesystem::create_directory(parent->path() / "other");
  std::filesystem::create_directory_symlink(parent->path() / "other", parent->path() / "waggle-abcdef");
  const auto swept = WorkDirectory::sweep(parent->path());
  REQUIRE(swept);
  CHECK(swept->empty());
  CHECK(std::filesystem::exists(parent->path() / "waggle-notes-of-mine"));
}

TEST_CASE("a file is warmed and chilled, and the kernel confirms it") {
  auto work = WorkDirectory::create(temporary());
  REQUIRE(work);
  const auto file = work->path() / "file";
  std::ofstream(file) << std::string(1'000'000, 'w');
  const auto warmed = warm(work->path());
  REQUIRE(warmed);
  CHECK(warmed->state() == "warm");
  CHECK(warmed->pages == 245);
  const auto chilled = chill(file);
  INFO((chilled ? std::string() : chilled.error().text()));
  REQUIRE(chilled);
  CHECK(chilled->state() == "cold");
  CHECK(residency(file)->resident == 0);
}
