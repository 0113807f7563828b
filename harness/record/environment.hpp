// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/record/figures.hpp"
#include "harness/record/names.hpp"
#include "harness/record/opaque.hpp"

/// What was asked for and what it ran on.
namespace waggle::record {

struct Revision {
  std::string revision;  ///< empty when the program was not built in a git checkout
  bool dirty = false;
  static void fields(auto& m, auto& a) {
    a.member("revision", m.revision);
    a.member("dirty", m.dirty);
  }
};

struct Workload {
  std::string name;
  bool bulk = true;                           ///< goodput counts; otherwise operations per second and latency
  bool idle = false;                          ///< nothing is asked; the CPU share counts
  std::optional<bool> fills_sink = {};        ///< payload goes into the sink; older records do not tell
  std::optional<std::string> file_size = {};  ///< the parameter with the size of its one file; empty: there is none
  bool server_sends = true;                   ///< payload
  static void fields(auto& m, auto& a) {
    a.member("name", m.name);
    a.member("bulk", m.bulk);
    a.member("idle", m.idle);
    a.optional("fills_sink", m.fills_sink);
    a.optional("file_size", m.file_size);
    a.member("server_sends", m.server_sends);
  }
};

struct Parameters {
  std::uint64_t clients = 1;
  Opaque others;  ///< the workload's own options, and those of all that nobody computes with

  /// A number among the others; nothing when there is none of that name.
  std::optional<std::uint64_t> count(const std::string& name) const {
    const auto found = others.members.find(name);
    return found != others.members.end() && found->is_number_integer() && *found >= 0
               ? std::optional(found->get<std::uint64_t>())
               : std::nullopt;
  }
  static void fields(auto& m, auto& a) {
    a.member("clients", m.clients);
    a.rest(m.others);
  }
};

struct Channel {
  std::string congestion;
  Opaque others;
  static void fields(auto& m, auto& a) {
    a.member("congestion", m.congestion);
    a.rest(m.others);
  }
};

/// The spec of an experiment, as far as tables tell it; `others` has the rest of what repeats it (experiment::Spec).
struct Asked {
  std::string workload;
  std::optional<std::string> file;
  Parameters parameters;
  std::string sink;
  bool tmpfs_huge = false;
  std::string cache;
  std::uint32_t mtu = 0;
  bool offloads = true;
  std::uint64_t seed = 0;
  Channel channel;
  Opaque others;
  static void fields(auto& m, auto& a) {
    a.member("workload", m.workload);
    a.nullable("file", m.file);
    a.member("parameters", m.parameters);
    a.member("sink", m.sink);
    a.member("tmpfs_huge", m.tmpfs_huge);
    a.member("cache", m.cache);
    a.member("mtu", m.mtu);
    a.member("offloads", m.offloads);
    a.member("seed", m.seed);
    a.member("channel", m.channel);
    a.rest(m.others);
  }
};

/// The experiment of a suite that this is (harness/suite/).
struct InSuite {
  std::string name;
  std::string experiment;  ///< its id in the suite
  std::string title;
  std::map<std::string, std::string> point;  ///< of what the suite sweeps, each value as it is written there
  std::string digest;                        ///< of the settings: equal where measuring again would measure the same
  static void fields(auto& m, auto& a) {
    a.member("name", m.name);
    a.member("experiment", m.experiment);
    a.member("title", m.title);
    a.member("point", m.point);
    a.member("digest", m.digest);
  }
};

/// What joins the hosts.
struct Link {
  std::string kind;
  std::map<std::string, std::string> addresses;  ///< by host
  std::vector<Mode> modes;
  std::map<std::string, Opaque> interfaces;  ///< facts of the network device, by host; empty where the kernel has none
  static void fields(auto& m, auto& a) {
    a.member("kind", m.kind);
    a.member("addresses", m.addresses);
    a.member("modes", m.modes);
    a.member("interfaces", m.interfaces);
  }
};

/// A machine on which runs were made.
struct Host {
  std::vector<std::string> names;  ///< of the hosts of links (Party::host) that are on it
  std::string kernel;
  double steal_share = 0;
  std::optional<double> throttled_s;  ///< nothing where nobody counts it
  Amounts pressure;                   ///< by resource
  Calibrations calibration;
  Opaque others;  ///< whatever else the recorder could find out
  static void fields(auto& m, auto& a) {
    a.member("names", m.names);
    a.member("kernel", m.kernel);
    a.member("steal_share", m.steal_share);
    a.nullable("throttled_s", m.throttled_s);
    a.member("pressure", m.pressure);
    a.member("calibration", m.calibration);
    a.rest(m.others);
  }
};

struct Environment {
  bool noisy = false;
  std::vector<std::string> noise;  ///< why it is called noisy, one sentence each
  std::optional<BeforeAfter> placement_ns;
  std::map<std::string, Link> links;  ///< by kind
  std::vector<Host> hosts;
  static void fields(auto& m, auto& a) {
    a.member("noisy", m.noisy);
    a.member("noise", m.noise);
    a.optional("placement_ns", m.placement_ns);
    a.member("links", m.links);
    a.member("hosts", m.hosts);
  }
};

/// The CPU that the processes at a host ran on.
struct Seat {
  std::string host;
  int cpu = 0;
  static void fields(auto& m, auto& a) {
    a.member("host", m.host);
    a.member("cpu", m.cpu);
  }
};

/// Timed runs whose CPUs were about as far from each other.
struct PlacementGroup {
  std::optional<double> lowest_ns;
  std::optional<double> median_ns;
  std::optional<double> highest_ns;
  std::map<std::string, std::size_t> runs;  ///< by label of the contestant
  static void fields(auto& m, auto& a) {
    a.nullable("lowest_ns", m.lowest_ns);
    a.nullable("median_ns", m.median_ns);
    a.nullable("highest_ns", m.highest_ns);
    a.member("runs", m.runs);
  }
};

/// Where the runs were made, and which of them count.
struct Placement {
  PlacementRule rule = PlacementRule::same;
  std::vector<Seat> cpus;
  std::string share;  ///< the nearest thing that the CPUs share: "cpu", "core", "l3", "node", "machine" or ""
  std::vector<PlacementGroup> groups;
  std::optional<std::size_t> counted;  ///< the group that figures come from; nothing: all
  static void fields(auto& m, auto& a) {
    a.member("rule", m.rule);
    a.member("cpus", m.cpus);
    a.member("share", m.share);
    a.member("groups", m.groups);
    a.nullable("counted", m.counted);
  }
};

}  // namespace waggle::record
