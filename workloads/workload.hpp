// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"
#include "base/option_table.hpp"
#include "base/registry.hpp"
#include "base/result.hpp"
#include "protocol/client.hpp"

/// What is asked of a datapath. A workload knows the client's calls and nothing of sockets, namespaces or probes.
namespace waggle::workloads {

/// What a user has said of a workload: what all of them have in common, and the values of its own options.
struct Parameters {
  std::uint64_t clients = 1;  ///< connections at once, each doing the whole workload
  std::uint64_t seed = 1;     ///< of contents, sizes and order
  Incoming::Sink sink = Incoming::Sink::discard;
  OptionValues own;  ///< of Workload::options(), checked; what is not here has its default
};

/// The options that every workload has.
const OptionTable<Parameters>& common_options();

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

/// What is known of a workload before it runs: which options mean something to it, and how it is judged.
struct Traits {
  bool bulk = false;         ///< goodput is what counts; otherwise operations per second and latency
  bool idle = false;         ///< nothing is asked of the datapath: the CPU time that waiting takes is what counts
  bool fills_sink = false;   ///< payload goes into the sink, unless that is to discard it
  bool reads_files = false;  ///< payload comes from files, which may be in the page cache
  /// The option of its own that has the size of the one file that it is about, in bytes; empty: there is no such file.
  std::string_view file_size = {};
  bool takes_file = false;  ///< a file of the user can take the place of that one
};

/// One file that ends with `const Registration mine_registration{std::make_unique<Mine>()};` and is named in
/// meson.build; nothing else knows it by name (docs/examples/toy_workload.cpp).
class Workload {
 public:
  using Registered = Workload;
  virtual ~Workload() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  virtual Traits traits() const = 0;
  /// Its own, which OptionTable::infos() describes and OptionTable::read() reads from Parameters::own. None of them has
  /// the name of another option of `harness run`; workloads may share a name, and each means its own by it.
  virtual const std::vector<OptionInfo>& options() const = 0;
  /// Fault::usage for values that make no sense together. Before anything is set up.
  virtual Result<> check(const Parameters&) const { return {}; }
  /// The side whose half sends the payload: decides which process is measured as sender.
  virtual bool server_sends(const Parameters& parameters) const = 0;
  /// Bytes of memory that a run of one client takes for what it keeps in its sink: payload in whole pages, and inodes.
  virtual std::uint64_t fills(const Parameters&) const { return 0; }
  /// Bytes that the files take that make_files() makes, about.
  virtual std::uint64_t makes(const Parameters&) const { return 0; }
  /// Seconds for which a run goes on by itself, whether any byte is verified or not.
  virtual double lasts(const Parameters&) const { return 0; }
  /// Makes the files that the server serves, below `served`, and those that the clients upload, below `local`.
  /// Once per experiment; content is random (from the seed), so that nothing can cheat by compression or zero pages.
  virtual Result<> make_files(const Parameters&, [[maybe_unused]] const std::filesystem::path& served,
                              [[maybe_unused]] const std::filesystem::path& local) const {
    return {};
  }
  /// Before the clock starts: connections warm, digests of what will be sent known, sinks empty. Untimed.
  virtual Result<> prepare(const Context& context) const = 0;
  /// The measured part. Returns only when every payload byte was verified and, for a file sink, is under its name.
  virtual Result<Outcome> run(const Context& context) const = 0;
  /// Removes what the run left on either side, so that the next run starts alike. Untimed.
  virtual Result<> reset(const Context& context) const = 0;

  bool bulk() const { return traits().bulk; }
  bool idle() const { return traits().idle; }
};

/// Fault::usage, since `option` means nothing to the workload.
std::unexpected<Error> says_nothing(std::string_view option, const Workload& workload);

/// `values` as the workload's own parameters, completed by its defaults. Fault::usage, naming it, for what is none of
/// its options or does not fit.
Result<OptionValues> own_values(const Workload& workload, const OptionValues& values);

const std::vector<const Workload*>& workloads();
Result<const Workload*> find_workload(std::string_view name);

}  // namespace waggle::workloads
