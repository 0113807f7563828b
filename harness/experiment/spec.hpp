// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "harness/record/record.hpp"
#include "workloads/workload.hpp"

namespace waggle::experiment {

/// One candidate: which datapath moves payload out of the sender, and which moves it into the receiver's sink. Over a
/// byte stream these are the movers of one socket pair; over frames every process has one port for both ways, so
/// `sender` is the datapath of the process that sends the payload, and `receiver` that of the other one.
struct Pair {
  std::string sender;
  std::string receiver = {};  ///< empty: default_receiver(sender)
  std::string link = {};      ///< what it runs over; empty: resolve_link() decides
  std::string label() const;  ///< "sendfile" when the receiver is the default, otherwise "sendfile+splice"
};

/// What is measured and used where nobody names a datapath.
inline constexpr const char* kDefaultDatapath = "sendfile";

/// What moves incoming payload when only the sender is named: Datapath::usual_receiver().
std::string default_receiver(const std::string& sender);

/// The link that both datapaths run on: `asked`, or with "auto" the sender's first one that the receiver runs on as
/// well. Fault::usage, naming the links there are, when there is none.
Result<std::string> resolve_link(const Datapath& sender, const Datapath& receiver, std::string_view asked);

/// Where the receive work of a veth runs: `automatic` is what the datapath at that end does best with.
enum class NapiChoice { automatic, softirq, threaded };
constexpr auto words_of(NapiChoice) {
  using enum NapiChoice;
  return std::to_array<Word<NapiChoice>>({{automatic, "auto"}, {softirq, "softirq"}, {threaded, "threaded"}});
}

using record::PlacementRule;

enum class Sink { discard, file, tmpfs };
constexpr auto words_of(Sink) {
  return std::to_array<Word<Sink>>({{Sink::discard, "discard"}, {Sink::file, "file"}, {Sink::tmpfs, "tmpfs"}});
}

enum class Cache { warm, cold };
constexpr auto words_of(Cache) {
  return std::to_array<Word<Cache>>({{Cache::warm, "warm"}, {Cache::cold, "cold"}});
}

/// Everything that a user can say about an experiment; spec_options() describes it. Defaults are those of `harness
/// run`. Who has built one by hand or read it passes it through settle() (spec_check.hpp), which run_experiment() does
/// too.
struct Spec {
  std::vector<Pair> pairs;
  std::string link = "auto";  ///< a kind of link (link_kind.hpp), or "auto": every pair over its datapath's first one
  std::vector<std::string> pci;  ///< nic: PCI addresses of the server's and of the client's NIC
  NapiChoice napi = NapiChoice::automatic;
  std::string workload = "download";
  workloads::Parameters parameters;
  Sink sink = Sink::tmpfs;
  bool tmpfs_huge = false;    ///< mount the sink's tmpfs with huge=always
  Cache cache = Cache::warm;  ///< of the source file: read just before the run, or dropped
  std::uint32_t mtu = 0;      ///< bytes; 0: 1500 where the kernel has an interface, otherwise the datapath's choice
  std::uint32_t queues = 1;   ///< of the veth, each way
  bool offloads = true;       ///< TSO, GSO, GRO and checksums of the veth
  bool middle = false;        ///< join the hosts of a veth by a third one, which passes frames on
  double loss = 0;            ///< share of the frames that it loses, each way, in thousandths
  double reorder = 0;         ///< likewise: of those that come late
  std::string cpus = "auto";  ///< where server and client run: "auto", "near", "far", "siblings", or "N,M"
  int server_cpu = 0;         ///< the CPUs that this means here, see settle()
  int client_cpu = 1;
  PlacementRule placement = PlacementRule::same;
  ChannelOptions channel;  ///< congestion control, buffers, wait, settings
  DigestKind digest = DigestKind::xxh3_128;
  std::uint32_t warmups = 1;  ///< dropped runs per pair
  /// Timed runs per pair that decide how many more are made (PilotRule); 0: as many as it takes (run_bounds()).
  std::uint32_t least_runs = 0;
  std::uint32_t most_runs = 30;
  double interval_target = 0.02;              ///< half the 95 % interval of the median shall be below this share of it
  double budget_seconds = 20;                 ///< per pair, for timed runs; at least `least_runs` are made
  std::uint32_t probed_runs = 1;              ///< per pair; 0: no tracing, copies are modelled
  std::uint64_t seed = 0;                     ///< order of the runs; 0: drawn, and recorded
  std::optional<std::filesystem::path> file;  ///< send this file instead of a made one (download, upload)
  std::filesystem::path work = "/var/tmp";    ///< where files are made
  std::filesystem::path record;               ///< where the record goes; empty: results/… as the command chooses
  std::vector<std::string> command_line;
};

/// The options of a Spec: all its members but pairs, CPUs as they were chosen, parameters (common_options() and the
/// workload's own), channel (channel_options() and the datapaths' own), and what belongs to one call: record and
/// command line.
const OptionTable<Spec>& spec_options();

/// What happens while an experiment runs; called from the thread that runs it.
struct Watcher {
  /// `fraction` of the whole experiment done (0…1), `doing` like "sendfile run 3/5", `rate` in bytes/s or 0.
  std::function<void(double fraction, const std::string& doing, double rate)> progress;
};

/// Runs all pairs interleaved in random order and returns the record (results/record.schema.json); who called it writes
/// it down (record/file.hpp). The calling thread ends up in a mount namespace of its own. A pair that cannot run is in
/// the record with the reason. After a signal that ends programs (base/signals.hpp) the record has the runs that were
/// made until then and says that it was interrupted; Fault::cancelled where no timed run had ended. Nothing is left
/// behind either way.
Result<record::Record> run_experiment(const Spec& spec, const Watcher& watcher);

}  // namespace waggle::experiment
