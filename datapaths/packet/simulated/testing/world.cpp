// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/testing/world.hpp"

#include <algorithm>

namespace waggle::packet::testing {
namespace {

constexpr Time kIdleStep = 1000;               // ns: a host that cannot say what it waits for is asked again
constexpr std::uint64_t kMostTurns = 100'000;  // at one moment

}  // namespace

World::Machine& World::add(const Peer& address, VirtualLink& uplink, const VirtualNetwork::PortOptions& port,
                           const HostOptions& options) {
  Machine& machine = machines_.emplace_back();
  machine.address = address;
  HostOptions same = options;
  same.seed = options.seed != 0 ? options.seed : machines_.size();  // the same run, whenever it is run
  machine.host = std::make_unique<Host>(network_.open(address, uplink, port), same);
  return machine;
}

void World::crash(Machine& machine, VirtualLink& uplink, const VirtualNetwork::PortOptions& port, bool again) {
  const HostOptions options = machine.host->options();
  machine.act = {};
  machine.host.reset();
  if (again) {
    machine.host = std::make_unique<Host>(network_.open(machine.address, uplink, port), options);
  }
}

bool World::turn() {
  bool busy = false;
  for (Machine& machine : machines_) {
    if (!machine.host || (machine.host->deadline() > now() && !network_.waiting(machine.address))) {
      continue;
    }
    const auto pumped = machine.host->pump(now());
    must(pumped.has_value(), "a simulated port died");
    if (machine.act) {
      machine.act(now());
    }
    busy = busy || *pumped;
  }
  return busy;
}

bool World::run(Time end, const std::function<bool()>& done) {
  std::uint64_t turns = 0;
  while (!done()) {
    if (turn()) {
      must(++turns < kMostTurns, "the hosts send for ever without time going on");
      continue;
    }
    turns = 0;
    Time next = std::min(network_.next(), end);
    for (const Machine& machine : machines_) {
      next = machine.host ? std::min(next, machine.host->deadline()) : next;
    }
    if (!script_.empty()) {
      next = std::min(next, script_.begin()->first);
    }
    if (next <= now()) {
      ++idle_calls_;
      next = now() + kIdleStep;
    }
    if (next >= end) {
      return done();
    }
    network_.advance(next);
    while (!script_.empty() && script_.begin()->first <= now()) {
      const auto what = std::move(script_.begin()->second);
      script_.erase(script_.begin());
      what();
    }
  }
  return true;
}

}  // namespace waggle::packet::testing
