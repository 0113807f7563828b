// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "datapaths/packet/host.hpp"
#include "datapaths/packet/simulated/testing/virtual_network.hpp"

namespace waggle::packet::testing {

/// What a simulation throws when something does not hold that always must.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws a Violation unless `holds`.
inline void must(bool holds, std::string_view what) {
  if (!holds) {
    throw Violation(std::string(what));
  }
}

/// Hosts on a network, and what they do with it. Runs them in virtual time, as fast as it goes.
class World {
 public:
  explicit World(std::uint32_t largest = 9000) : network_(largest) {}

  /// A machine: a host and whoever uses it. `act` is called whenever its host has done something.
  struct Machine {
    Peer address;
    std::unique_ptr<Host> host;
    std::function<void(Time)> act;
  };
  Machine& add(const Peer& address, VirtualLink& uplink, const VirtualNetwork::PortOptions& port,
               const HostOptions& options);
  /// Takes a host away without a word, and puts a new one in its place when `again`.
  void crash(Machine& machine, VirtualLink& uplink, const VirtualNetwork::PortOptions& port, bool again);

  /// Does something at a point in time.
  void at(Time time, std::function<void()> what) { script_.emplace(time, std::move(what)); }
  /// Until `done` or `end`; true when it is done.
  bool run(Time end, const std::function<bool()>& done);

  VirtualNetwork& network() { return network_; }
  Time now() const { return network_.now(); }
  /// Rounds in which some host wanted to be called again though it had nothing to do.
  std::uint64_t idle_calls() const { return idle_calls_; }

 private:
  bool turn();

  VirtualNetwork network_;
  std::list<Machine> machines_;
  std::multimap<Time, std::function<void()>> script_;
  std::uint64_t idle_calls_ = 0;
};

}  // namespace waggle::packet::testing
