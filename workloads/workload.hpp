// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"
#include "base/registry.hpp"
#include "base/result.hpp"
#include "protocol/client.hpp"

/// What is asked of a datapath. A workload knows the client's calls and nothing of sockets, namespaces or probes.
namespace waggle::workloads {

/// Everything that a user can set; each workload reads what concerns it (see Workload::options()).
struct Parameters {
  std::uint64_t size = 1024 * 1024 * 1024;  ///< bytes of the file (download, upload, rand-read)
  std::uint64_t count =
      0;  ///< files (small-files), rounds (metadata), reads (rand-read); 0: the workload's own default
  std::uint64_t small_min = 0;          ///< bytes, small-files
  std::uint64_t small_max = 16 * 1024;  ///< bytes, small-files
  std::uint64_t request = 64;           ///< bytes, rr
  std::uint64_t response = 64;          ///< bytes, rr
  std::uint64_t block = 4096;           ///< bytes per read, rand-read
  std::uint64_t depth = 1;              ///< requests under way, rand-read
  double rate = 0;                      ///< requests per second, rr: 0 is closed loop, otherwise open loop
  double seconds = 1;                   ///< length of a run, rr and idle
  bool upload = false;                  ///< direction of small-files
  std::uint64_t clients = 1;            ///< connections at once, each doing the whole workload
  std::uint64_t seed = 1;               ///< of contents, sizes and order
  Incoming::Sink sink = Incoming::Sink::discard;
};

/// What one run did, as the client saw it. Merged over the clients of a run.
struct Outcome {
  std::uint64_t payload_bytes = 0;
  std::uint64_t operations = 0;
  std::uint64_t start_ns = 0;                   ///< CLOCK_MONOTONIC, first request sent
  std::uint64_t end_ns = 0;                     ///< last byte verified
  std::uint64_t verify_ns = 0;                  ///< hashing on the client
  std::map<std::string, Histogram> latency_ns;  ///< by operation name

  void merge(const Outcome& other);
};

/// What a run gets. Paths are absolute; `local` is the client's directory for sinks and sources, private to this
/// client.
struct Context {
  Parameters parameters;
  protocol::Client& client;
  std::filesystem::path local;
  std::uint64_t index = 0;  ///< which client this is
};

struct OptionInfo {
  std::string name;  ///< command-line option without dashes that this workload reads
  std::string help;
};

class Workload {
 public:
  using Registered = Workload;
  virtual ~Workload() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  virtual std::vector<OptionInfo> options() const = 0;
  /// The side whose half sends the payload: decides which process is measured as sender.
  virtual bool server_sends(const Parameters& parameters) const = 0;
  /// True when goodput is what counts; otherwise operations per second and latency.
  virtual bool bulk() const = 0;
  /// True when nothing is asked of the datapath: the CPU time that waiting takes is what counts.
  virtual bool idle() const { return false; }
  /// Bytes of memory that a run of one client takes for what it keeps in its sink: payload in whole pages, and inodes.
  virtual std::uint64_t fills(const Parameters&) const { return 0; }
  /// Makes the files that the server serves, below `served`, and those that the clients upload, below `local`.
  /// Once per experiment; content is random (from the seed), so that nothing can cheat by compression or zero pages.
  virtual Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                              const std::filesystem::path& local) const = 0;
  /// Before the clock starts: connections warm, digests of what will be sent known, sinks empty. Untimed.
  virtual Result<> prepare(const Context& context) const = 0;
  /// The measured part. Returns only when every payload byte was verified and, for a file sink, is under its name.
  virtual Result<Outcome> run(const Context& context) const = 0;
  /// Removes what the run left on either side, so that the next run starts alike. Untimed.
  virtual Result<> reset(const Context& context) const = 0;
};

const std::vector<const Workload*>& workloads();
Result<const Workload*> find_workload(std::string_view name);

}  // namespace waggle::workloads
