// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/replies.hpp"
#include "harness/record/opaque.hpp"
#include "harness/record/record.hpp"

/// What may be asked of an agent (agent.hpp): a type for each request with its name, its members and the type of its
/// answer. In members and answers, fields(m, a) says what stands in the message (record/archive.hpp).
namespace waggle::experiment {

/// An answer that only says that it is done.
struct Done {
  static void fields(auto&, auto&) {}
};

/// What a process opens: ends.hpp.
struct Opening {
  std::string datapath;
  std::string receive_with;  ///< ChannelOptions::receive_with
  record::Opaque channel;    ///< channel_from_json()
  std::string address;       ///< of the server
  static void fields(auto& m, auto& a) {
    a.member("datapath", m.datapath);
    a.member("receive_with", m.receive_with);
    a.member("channel", m.channel);
    a.member("address", m.address);
  }
};

/// Serves the files below `served`, by path.
struct StartServer : Opening {
  static constexpr const char* kDo = "start";
  static constexpr const char* kRole = "server";
  struct Answer {
    std::uint16_t port = 0;
    static void fields(auto& m, auto& a) { a.member("port", m.port); }
  };
  std::string served;
  static void fields(auto& m, auto& a) {
    Opening::fields(m, a);
    a.member("served", m.served);
  }
};

/// Connects as often as the workload has clients.
struct StartClient : Opening {
  static constexpr const char* kDo = "start";
  static constexpr const char* kRole = "client";
  using Answer = Done;
  std::uint16_t port = 0;
  std::string workload;
  record::Opaque parameters;  ///< parameters_from_json()
  std::string digest;
  std::string local;    ///< a directory, by path
  int progress_fd = 0;  ///< SharedProgress, inherited
  static void fields(auto& m, auto& a) {
    Opening::fields(m, a);
    a.member("port", m.port);
    a.member("workload", m.workload);
    a.member("parameters", m.parameters);
    a.member("digest", m.digest);
    a.member("local", m.local);
    a.member("progress_fd", m.progress_fd);
  }
};

struct StartHost {
  static constexpr const char* kDo = "start";
  static constexpr const char* kRole = "host";
  using Answer = Done;
  static void fields(auto&, auto&) {}
};

/// What an agent is asked to do by its name alone.
template <typename Reply>
struct Bare {
  using Answer = Reply;
  static void fields(auto&, auto&) {}
};

/// Of every agent: end in order.
struct Quit : Bare<Done> {
  static constexpr const char* kDo = "quit";
};

/// Of a server: the window begins, and has ended.
struct BeginServing : Bare<Done> {
  static constexpr const char* kDo = "begin";
};
struct EndServing : Bare<Told> {
  static constexpr const char* kDo = "end";
};

/// Of a client: the workload's steps.
struct Prepare : Bare<Done> {
  static constexpr const char* kDo = "prepare";
};
struct RunWorkload {
  static constexpr const char* kDo = "run";
  using Answer = ClientTold;
  std::uint64_t bin_ns = 0;  ///< width of the timeline's bins
  static void fields(auto& m, auto& a) { a.member("bin_ns", m.bin_ns); }
};
struct Reset : Bare<Done> {
  static constexpr const char* kDo = "reset";
};

/// Of a host: makes the files of a workload.
struct MakeFiles {
  static constexpr const char* kDo = "make";
  using Answer = Done;
  std::string workload;
  record::Opaque parameters;  ///< parameters_from_json()
  std::string served;         ///< a directory, by path
  std::string local;          ///< likewise
  static void fields(auto& m, auto& a) {
    a.member("workload", m.workload);
    a.member("parameters", m.parameters);
    a.member("served", m.served);
    a.member("local", m.local);
  }
};

/// Of a host: the page cache gets the files below a directory, or is rid of them. Answers what came of it.
struct SetCache {
  static constexpr const char* kDo = "cache";
  struct Answer {
    std::string state;  ///< "warm", "cold", or how much of it is cached
    static void fields(auto& m, auto& a) { a.member("state", m.state); }
  };
  std::string path;
  bool warm = true;
  static void fields(auto& m, auto& a) {
    a.member("path", m.path);
    a.member("warm", m.warm);
  }
};

/// Of a host: touches so much free memory once.
struct Prime {
  static constexpr const char* kDo = "prime";
  using Answer = Done;
  std::uint64_t bytes = 0;
  static void fields(auto& m, auto& a) { a.member("bytes", m.bytes); }
};

/// Of a host: what the machine is like now, between these two CPUs; a run is about to begin.
struct Look {
  static constexpr const char* kDo = "look";
  using Answer = Done;
  std::vector<int> cpus;
  static void fields(auto& m, auto& a) { a.member("cpus", m.cpus); }
};
/// Of a host: what it was like around the run that has ended.
struct Looked : Bare<record::Conditions> {
  static constexpr const char* kDo = "looked";
};

/// Of a host: whether probes work at all.
struct TryProbes : Bare<Done> {
  static constexpr const char* kDo = "try";
};
/// Of a host: probes these processes until EndWindow.
struct Watch {
  static constexpr const char* kDo = "watch";
  using Answer = Done;
  std::vector<Watched> parties;
  static void fields(auto& m, auto& a) { a.member("parties", m.parties); }
};
/// Of a host: the window begins, and has ended.
struct BeginWindow : Bare<Done> {
  static constexpr const char* kDo = "begin";
};
struct EndWindow : Bare<HostTold> {
  static constexpr const char* kDo = "end";
};

/// Of a host: an experiment with runs between these two CPUs begins.
struct Survey {
  static constexpr const char* kDo = "survey";
  using Answer = Done;
  std::vector<int> cpus;
  static void fields(auto& m, auto& a) { a.member("cpus", m.cpus); }
};
/// Of a host: what it was like during the experiment.
struct Surveyed {
  static constexpr const char* kDo = "surveyed";
  using Answer = HostSurveyed;
  std::string network;  ///< a network namespace of the experiment, by path; empty: the agent's own
  static void fields(auto& m, auto& a) { a.optional("network", m.network); }
};
/// Of a host: what a network device is like.
struct DescribeDevice {
  static constexpr const char* kDo = "device";
  struct Answer {
    record::Opaque facts;  ///< measure::interface_facts()
    static void fields(auto& m, auto& a) { a.member("facts", m.facts); }
  };
  std::string network;  ///< its network namespace, likewise
  std::string device;
  static void fields(auto& m, auto& a) {
    a.optional("network", m.network);
    a.member("device", m.device);
  }
};

}  // namespace waggle::experiment
