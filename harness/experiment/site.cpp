// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/experiment/contestant.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/requests.hpp"
#include "harness/experiment/space.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

namespace fs = std::filesystem;

constexpr auto kMakingFiles = std::chrono::hours(2);

Result<> make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  return error ? fail_errno(fmt::format("cannot make {}", path.string()), error.value()) : Result<>{};
}

std::optional<topology::Badness> middle_of(const Spec& spec) {
  return spec.middle ? std::optional(topology::Badness{.loss = spec.loss, .reorder = spec.reorder, .seed = spec.seed})
                     : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Site>> Site::build(Spec& spec, std::vector<Entry>& entries, Interrupt& interrupt) {
  std::unique_ptr<Site> site(new Site(interrupt));
  // First, since it fails at once without the rights.
  WAGGLE_TRY(site->make_links(spec, entries));
  WAGGLE_TRY(topology::enter_private_mounts());
  WAGGLE_TRY(topology::WorkDirectory::sweep(spec.work));
  WAGGLE_TRY(check_space(spec));  // what killed experiments left is gone
  WAGGLE_LET(work, topology::WorkDirectory::create(spec.work));
  site->work_.emplace(std::move(work));
  site->reserve_memory(entries);
  WAGGLE_TRY(site->prepare_places(spec));
  WAGGLE_LET(host, AgentProcess::start({.name = "host"}));
  site->host_.emplace(std::move(host));
  WAGGLE_TRY(site->host_->ask(StartHost{}, interrupt));
  WAGGLE_TRY(site->make_files(spec));
  return site;
}

Result<> Site::make_links(const Spec& spec, std::vector<Entry>& entries) {
  pci_ = spec.pci;
  std::map<std::string, Error> broken;
  for (Entry& entry : entries) {
    const std::string& kind = entry.link;
    if (entry.problem || links_.contains(kind)) {
      continue;
    }
    if (!broken.contains(kind)) {
      auto link = topology::link_kind(kind).addresses && pci_.size() != 2
                      ? Result<topology::Link>(fail(Fault::usage,
                                                    fmt::format("the link {} needs the addresses of two NICs", kind),
                                                    "name them with --pci=SERVER,CLIENT (lspci shows them)"))
                      : topology::Link::create({.kind = kind,
                                                .mtu = spec.mtu != 0 ? spec.mtu : topology::kDefaultMtu,
                                                .queues = spec.queues,
                                                .offloads = spec.offloads,
                                                .allow_fallback = spec.channel.allow_fallback,
                                                .middle = middle_of(spec)});
      if (link) {
        links_.emplace(kind, *std::move(link));
        continue;
      }
      broken.emplace(kind, std::move(link).error());
    }
    entry.unavailable = true;
    entry.problem = broken.at(kind);
  }
  return links_.empty() && !broken.empty() ? Result<>(std::unexpected(broken.begin()->second)) : Result<>();
}

std::string Site::link_at(const std::string& kind, bool server) const {
  const auto known = topology::link_kind(kind);
  return known.socket      ? (work_->path() / "vhost.sock").string()
         : known.addresses ? pci_.at(server ? 0 : 1)
                           : std::string();
}

/// Entries run one after the other, so the neediest one decides. Without the memory those that need some cannot run.
void Site::reserve_memory(std::vector<Entry>& entries) {
  std::uint64_t most = 0;
  std::vector<Entry*> needy;
  for (Entry& entry : entries) {
    if (const std::uint64_t bytes = entry.problem ? 0 : entry.contestant->hugepage_bytes(); bytes > 0) {
      most = std::max(most, bytes);
      needy.push_back(&entry);
    }
  }
  if (needy.empty()) {
    return;
  }
  auto reserved = topology::Hugepages::reserve(most, work_->path());
  if (reserved) {
    hugepages_.emplace(*std::move(reserved));
    return;
  }
  for (Entry* entry : needy) {
    entry->unavailable = true;
    entry->problem = reserved.error();
  }
}

Result<> Site::prepare_places(const Spec& spec) {
  source_ = work_->path() / "source";
  sink_ = work_->path() / "sink";
  WAGGLE_TRY(make_directory(source_));
  WAGGLE_TRY(make_directory(sink_));
  if (spec.sink == Sink::tmpfs) {
    WAGGLE_LET(mount, topology::Mount::tmpfs(sink_, spec.tmpfs_huge));
    mount_modes_.push_back(mount.huge());
    mounts_.push_back(std::move(mount));
  }
  return {};
}

Result<> Site::make_files(Spec& spec) {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  const bool server_sends = workload->server_sends(spec.parameters);
  workloads::Parameters parameters = spec.parameters;
  const std::string size(workload->traits().file_size);
  if (spec.file) {
    parameters.own[size] = std::uint64_t{0};  // of what the user's file is put over
  }
  const MakeFiles asked{.workload = spec.workload,
                        .parameters = {to_json(parameters)},
                        .served = (server_sends ? source_ : sink_).string(),
                        .local = (server_sends ? sink_ : source_).string()};
  WAGGLE_TRY(host_->ask(asked, interrupt_, {.most = kMakingFiles, .alive = {}}));
  for (const fs::path& place : {source_, sink_}) {
    for (const auto& entry : fs::directory_iterator(place)) {
      made_.insert(entry.path());
    }
  }
  if (spec.file) {
    WAGGLE_TRY(show_file(*spec.file));
    spec.parameters.own[size] = std::uint64_t{fs::file_size(*spec.file)};
  }
  return {};
}

Result<> Site::show_file(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return fail(Fault::not_found,
                error ? fmt::format("cannot send {}: {}", file.string(), error.message())
                      : fmt::format("cannot send {}: not a regular file", file.string()),
                "name an existing file with --file");
  }
  if (made_.size() != 1 || !fs::is_regular_file(*made_.begin())) {
    return fail(Fault::usage, "this workload does not send a single file", "leave out --file");
  }
  WAGGLE_LET(mount, topology::Mount::bind_read_only(file, *made_.begin()));
  mounts_.push_back(std::move(mount));
  return {};
}

void Site::tidy() {
  std::error_code ignored;
  fs::remove(link_at(std::string(topology::socket_link()), true), ignored);
  for (const fs::path& place : {source_, sink_}) {
    for (fs::directory_iterator entry(place, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
      if (!made_.contains(entry->path())) {
        fs::remove_all(entry->path(), ignored);
      }
    }
  }
}

record::Link Site::recorded_link(const std::string& kind) const {
  const topology::Link& link = links_.at(kind);
  auto modes = link.modes();
  modes.insert(modes.end(), mount_modes_.begin(), mount_modes_.end());
  if (hugepages_) {
    modes.push_back(hugepages_->mode());
  }
  return {.kind = kind,
          .addresses = {{"server", link.server_address()}, {"client", link.client_address()}},
          .modes = recorded(modes),
          .interfaces = {}};
}

}  // namespace waggle::experiment
