// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/site.hpp"

#include <fmt/format.h>

#include "harness/experiment/convert.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr auto kMakingFiles = std::chrono::hours(2);

Result<> make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  return error ? fail_errno(fmt::format("cannot make {}", path.string()), error.value()) : Result<>{};
}

}  // namespace

Result<std::unique_ptr<Site>> Site::build(Spec& spec, topology::Interrupt& interrupt) {
  std::unique_ptr<Site> site(new Site(interrupt));
  // First, since it fails at once without the rights.
  WAGGLE_LET(link, topology::Link::create({.kind = spec.link,
                                           .mtu = spec.mtu,
                                           .offloads = spec.offloads,
                                           .allow_fallback = spec.channel.allow_fallback}));
  site->link_.emplace(std::move(link));
  WAGGLE_TRY(topology::enter_private_mounts());
  WAGGLE_TRY(topology::WorkDirectory::sweep(spec.work));
  WAGGLE_LET(work, topology::WorkDirectory::create(spec.work));
  site->work_.emplace(std::move(work));
  WAGGLE_TRY(site->prepare_places(spec));
  WAGGLE_LET(files, AgentProcess::start({.name = "files"}));
  site->files_.emplace(std::move(files));
  WAGGLE_TRY(site->files_->call({{"do", "start"}, {"role", "files"}}, interrupt));
  WAGGLE_TRY(site->make_files(spec));
  return site;
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
  if (spec.file) {
    parameters.size = 0;
  }
  WAGGLE_TRY(files_->call({{"do", "make"},
                           {"workload", spec.workload},
                           {"parameters", to_json(parameters)},
                           {"served", (server_sends ? source_ : sink_).string()},
                           {"local", (server_sends ? sink_ : source_).string()}},
                          interrupt_, {.most = kMakingFiles, .alive = {}}));
  for (const fs::path& place : {source_, sink_}) {
    for (const auto& entry : fs::directory_iterator(place)) {
      made_.insert(entry.path());
    }
  }
  if (spec.file) {
    WAGGLE_TRY(show_file(*spec.file));
    spec.parameters.size = fs::file_size(*spec.file);
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
  for (const fs::path& place : {source_, sink_}) {
    for (fs::directory_iterator entry(place, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
      if (!made_.contains(entry->path())) {
        fs::remove_all(entry->path(), ignored);
      }
    }
  }
}

json Site::link_json() const {
  auto modes = link_->modes();
  modes.insert(modes.end(), mount_modes_.begin(), mount_modes_.end());
  return {{"kind", link_->kind()},
          {"server_address", link_->server_address()},
          {"client_address", link_->client_address()},
          {"modes", to_json(modes)}};
}

}  // namespace waggle::experiment
