// SPDX-License-Identifier: BSD-2-Clause
#include "tests/conformance/lanes.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <list>
#include <optional>
#include <set>

#include "datapaths/testing/pair.hpp"
#include "harness/topology/hugepages.hpp"
#include "harness/topology/link.hpp"
#include "harness/topology/work_directory.hpp"
#include "protocol/testing/memory_channel.hpp"

namespace waggle::conformance {
namespace {

// GCC defines the first, clang has the second.
#if defined(__SANITIZE_THREAD__)
constexpr bool kWatchesThreads = true;
#elif defined(__has_feature)
constexpr bool kWatchesThreads = __has_feature(thread_sanitizer);
#else
constexpr bool kWatchesThreads = false;
#endif

void here(const Work& work) {
  work();
}

void leave_out(const std::string& name, const Error& why) {
  const char* all = std::getenv("WAGGLE_REQUIRE_ALL");
  if (all != nullptr && std::string_view(all) == "1") {
    FAIL(name << " cannot run: " << why.text());
  }
  std::cerr << "left out: " << name << ": " << why.text() << "\n";
}

/// One after another: a listener takes the place of the last one.
Lane memory() {
  static protocol::testing::MemoryListener* current = nullptr;
  Lane lane{.name = "memory", .takes = [](Incoming::Sink) { return true; }, .as_client = here};
  lane.listen = [](const ChannelOptions&) -> Result<std::unique_ptr<Listener>> {
    auto made = protocol::testing::make_memory_listener();
    current = made.get();
    return made;
  };
  lane.connect = [](const Endpoint&, const ChannelOptions&) -> Result<std::unique_ptr<Channel>> {
    return current->connect();
  };
  return lane;
}

/// In this network namespace, over its loopback interface.
Lane over_loopback(const Datapath& datapath, std::string name, std::string receive_with) {
  Lane lane{.name = std::move(name),
            .datapath = &datapath,
            .at = {"127.0.0.1", 0},
            .reached_by_kernel = true,
            .as_client = here};
  lane.options.link = "loopback";
  lane.options.allow_fallback = true;
  lane.options.receive_with = std::move(receive_with);
  lane.listen = [&datapath, at = lane.at](const ChannelOptions& options) { return datapath.listen(at, options); };
  lane.connect = [&datapath](const Endpoint& to, const ChannelOptions& options) {
    return datapath.connect(to, options);
  };
  return lane;
}

Result<Lane> over_veth(const Datapath& datapath) {
  static std::list<topology::Link> links;  // one for each: an interface may take only one program
  WAGGLE_LET(made, topology::Link::create({}));
  const topology::Link& link = links.emplace_back(std::move(made));
  Lane lane{.name = std::string(datapath.name()) + " over veth",
            .datapath = &datapath,
            .at = {link.server_address(), 7411},
            .reached_by_kernel = true};
  lane.options.link = "veth";
  lane.options.allow_fallback = true;
  lane.listen = [&, at = lane.at](const ChannelOptions& options) -> Result<std::unique_ptr<Listener>> {
    std::unique_ptr<Listener> listener;
    WAGGLE_TRY(link.server().inside([&]() -> Result<> {
      WAGGLE_LET(opened, datapath.listen(at, options));
      listener = std::move(opened);
      return {};
    }));
    return listener;
  };
  lane.connect = [&](const Endpoint& to, const ChannelOptions& options) -> Result<std::unique_ptr<Channel>> {
    std::unique_ptr<Channel> channel;
    WAGGLE_TRY(link.client().inside([&]() -> Result<> {
      WAGGLE_LET(opened, datapath.connect(to, options));
      channel = std::move(opened);
      return {};
    }));
    return channel;
  };
  lane.as_client = [&](const Work& work) {
    static_cast<void>(link.client().inside([&]() -> Result<> {
      work();
      return {};
    }));
  };
  return lane;
}

/// Shared memory between two processes, which each need hugepages.
Result<Lane> over_vhost(const Datapath& datapath) {
  Lane lane{.name = std::string(datapath.name()) + " over vhost",
            .datapath = &datapath,
            .at = {"10.77.0.1", 7411},
            .apart = true,
            .as_client = here};
  lane.options.link = "vhost";
  lane.options.allow_fallback = true;
  static std::optional<topology::WorkDirectory> work;
  static std::optional<topology::Hugepages> pages;
  const char* place = std::getenv("TMPDIR");
  WAGGLE_LET(directory, topology::WorkDirectory::create(place != nullptr ? place : "/var/tmp"));
  work.emplace(std::move(directory));
  const std::uint64_t bytes =
      datapath.hugepage_bytes(true, lane.options) + datapath.hugepage_bytes(false, lane.options);
  WAGGLE_LET(reserved, topology::Hugepages::reserve(bytes, work->path()));
  pages.emplace(std::move(reserved));
  lane.options.link_at = (work->path() / "vhost").string();
  lane.listen = [&datapath, at = lane.at](const ChannelOptions& options) { return datapath.listen(at, options); };
  lane.connect = [&datapath](const Endpoint& to, const ChannelOptions& options) {
    return datapath.connect(to, options);
  };
  return lane;
}

void add(std::vector<Lane>& all, const Datapath& datapath) {
  const auto links = datapath.links();
  const auto runs_over = [&](std::string_view link) { return std::ranges::find(links, link) != links.end(); };
  const std::string name(datapath.name());
  if (const auto can = datapath.available(); !can) {
    leave_out(name, can.error());
    return;
  }
  std::vector<Lane> made;
  if (datapath.carrier() == Carrier::stream) {
    for (const Datapath* receiver : datapaths()) {
      if (datapath.moves(Side::sender) && receiver->carrier() == Carrier::stream && receiver->moves(Side::receiver) &&
          receiver->available()) {
        const std::string into(receiver->name());
        made.push_back(over_loopback(datapath, name + " to " + into, into));
        made.back().takes = [receiver](Incoming::Sink sink) { return receiver->takes(sink); };
      }
    }
  } else if (runs_over("loopback")) {
    made.push_back(over_loopback(datapath, name, {}));
  } else {
    if (runs_over("vhost") && kWatchesThreads) {
      std::cerr << "left out: " << name << ": what its libraries' threads share is not seen by ThreadSanitizer\n";
      return;
    }
    auto lane = runs_over("vhost") ? over_vhost(datapath) : over_veth(datapath);
    if (!lane) {
      leave_out(name, lane.error());
      return;
    }
    made.push_back(*std::move(lane));
  }
  for (Lane& lane : made) {
    if (!lane.takes) {
      lane.takes = [&datapath](Incoming::Sink sink) { return datapath.takes(sink); };
    }
    all.push_back(std::move(lane));
  }
}

}  // namespace

const std::vector<Lane>& lanes() {
  static const std::vector<Lane> all = [] {
    std::vector<Lane> made{memory()};
    for (const Datapath* datapath : datapaths()) {
      add(made, *datapath);
    }
    for (const Lane& lane : made) {
      std::cerr << "lane: " << lane.name << "\n";
    }
    return made;
  }();
  return all;
}

std::vector<Lane> lanes_once() {
  std::vector<Lane> chosen;
  std::set<std::string> senders;
  std::set<std::string> receivers;
  for (const bool both : {true, false}) {  // first those that are new on both sides
    for (const Lane& lane : lanes()) {
      if (lane.datapath == nullptr || lane.packets()) {
        continue;
      }
      const std::string sender(lane.datapath->name());
      const int fresh = (senders.contains(sender) ? 0 : 1) + (receivers.contains(lane.options.receive_with) ? 0 : 1);
      if (fresh >= (both ? 2 : 1)) {
        senders.insert(sender);
        receivers.insert(lane.options.receive_with);
        chosen.push_back(lane);
      }
    }
  }
  std::ranges::copy_if(lanes(), std::back_inserter(chosen),
                       [](const Lane& lane) { return lane.datapath == nullptr || lane.packets(); });
  return chosen;
}

std::vector<Lane> lanes_for_outlaws() {
  std::vector<Lane> chosen;
  for (const Lane& lane : lanes()) {
    const bool known = std::ranges::any_of(chosen, [&](const Lane& other) {
      return !lane.packets() && other.options.receive_with == lane.options.receive_with && !other.packets();
    });
    if (lane.reached_by_kernel && !known) {
      chosen.push_back(lane);
    }
  }
  return chosen;
}

std::unique_ptr<Outlaw> outlaw(const Lane& lane, const Endpoint& server) {
  std::unique_ptr<Outlaw> made;
  lane.as_client([&] {
    if (lane.packets()) {
      made = std::make_unique<PacketOutlaw>(server);
    } else {
      made = std::make_unique<StreamOutlaw>(server);
    }
  });
  return made;
}

}  // namespace waggle::conformance
