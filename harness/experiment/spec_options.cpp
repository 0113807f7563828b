// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/spec.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

using Type = OptionType;

constexpr std::string_view kWorkloadGroup = "Workload";
constexpr std::string_view kWhereGroup = "Where and how";
constexpr std::string_view kRepetitionGroup = "Repetitions";
constexpr std::uint64_t kMostRuns = 100'000;

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto* workload : workloads::workloads()) {
    names.emplace_back(workload->name());
  }
  return names;
}

std::vector<std::string> links_to_choose() {
  auto links = topology::link_names();
  links.insert(links.begin(), "auto");
  return links;
}

}  // namespace

const OptionTable<Spec>& spec_options() {
  static const OptionTable<Spec> table{
      Option("workload", &Spec::workload, Type::choice(workload_names()), "what is asked of the datapath")
          .shown_as("NAME")
          .in(kWorkloadGroup),
      Option("file", &Spec::file, Type::optional_text("PATH"), "send this file instead of a made one")
          .in(kWorkloadGroup),
      Option("sink", &Spec::sink, "what receives").in(kWhereGroup),
      Option("tmpfs_huge", &Spec::tmpfs_huge, Type::flag(), "mount the tmpfs with huge=always")
          .called("--huge")
          .in(kWhereGroup),
      Option("cache", &Spec::cache, "page cache of the source").in(kWhereGroup),
      Option("work", &Spec::work, Type::text("DIR"), "where files are made").in(kWhereGroup),
      Option("link", &Spec::link, Type::choice(links_to_choose()), "auto: each datapath's first one").in(kWhereGroup),
      Option("pci", &Spec::pci, Type::list("ADDRESS,ADDRESS", 2, 2),
             "of the server's and the client's NIC, for --link=nic")
          .in(kWhereGroup),
      Option("mtu", &Spec::mtu, Type::number(68, 65'535, 0),
             "of the link, bytes; 0: 1500, or on vhost and nic what the datapath likes")
          .in(kWhereGroup),
      Option("queues", &Spec::queues, Type::number(1, 64), "of a veth, each way").in(kWhereGroup),
      Option("napi", &Spec::napi, "where a veth receives; auto: what the datapath does best with").in(kWhereGroup),
      Option("offloads", &Spec::offloads, Type::on_or_off(), "TSO, GSO, GRO and checksums").in(kWhereGroup),
      Option("middle", &Spec::middle, Type::flag(), "a third host passes the frames of a veth on; needs --offloads=off")
          .in(kWhereGroup),
      Option("loss", &Spec::loss, Type::share(), "of the frames that the middle loses, each way").in(kWhereGroup),
      Option("reorder", &Spec::reorder, Type::share(), "likewise: these come late, behind others").in(kWhereGroup),
      Option("cpus", &Spec::cpus, Type::text("CPUS"),
             "near (two cores of one L3), far, siblings, or N,M; auto: near, or the next best")
          .in(kWhereGroup),
      Option("placement", &Spec::placement, "when CPUs are moved: repeat runs, tell, or count all").in(kWhereGroup),
      Option("digest", &Spec::digest, "how payload is verified").in(kWhereGroup),
      Option("least_runs", &Spec::least_runs, Type::number(0, kMostRuns),
             "a pilot that decides how many are made; 0: 6, or more where more than two are compared")
          .in(kRepetitionGroup),
      Option("most_runs", &Spec::most_runs, Type::number(1, kMostRuns), "at most so many").in(kRepetitionGroup),
      Option("budget_seconds", &Spec::budget_seconds, Type::seconds_above_zero(), "for the timed runs of a pair")
          .called("--budget")
          .in(kRepetitionGroup),
      Option("warmups", &Spec::warmups, Type::number(0, UINT32_MAX), "runs that are dropped").in(kRepetitionGroup),
      Option("probed_runs", &Spec::probed_runs, Type::number(0, UINT32_MAX), "runs that are traced, not timed")
          .called("--probed")
          .in(kRepetitionGroup),
      {"interval_target", &Spec::interval_target, Type::share(), "half the interval of the median, at most this share"},
      Option("seed", &Spec::seed, Type::number(0, UINT32_MAX), "of the order of the runs; 0: drawn")
          .in(kRepetitionGroup),
  };
  return table;
}

}  // namespace waggle::experiment
