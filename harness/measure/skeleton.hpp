// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "harness/measure/bpf/shared.h"
#include "harness/measure/probe.hpp"

namespace waggle::measure {

/// Keeps libbpf off stderr and remembers its last warning; call before any use of libbpf.
void capture_bpf_messages();
/// "ACTION: strerror(error) (libbpf's last warning)" as Fault::missing, with what the user can do about it.
std::unexpected<Error> bpf_failure(std::string_view action, int error);

/// Number of arguments of a raw tracepoint of the running kernel, -1 when it has none of this name.
int tracepoint_arguments(const std::string& name);
/// The kernel's name of an skb_drop_reason, "reason 7" when it is unknown.
std::string drop_reason_name(std::uint32_t reason);

/// One generated skeleton: destroyed, and with it detached and unloaded, on destruction.
template <typename S>
class Skeleton {
 public:
  static Result<Skeleton> open(std::string_view name) {
    capture_bpf_messages();
    S* skeleton = S::open(nullptr);
    if (skeleton == nullptr) {
      return bpf_failure("cannot open the BPF program " + std::string(name), errno);
    }
    return Skeleton(skeleton, name);
  }
  Result<> load() {
    const int error = S::load(skeleton_.get());
    return error == 0 ? Result<>{} : bpf_failure("cannot load the BPF program " + name_, -error);
  }
  Result<> attach() {
    const int error = S::attach(skeleton_.get());
    return error == 0 ? Result<>{} : bpf_failure("cannot attach the BPF program " + name_, -error);
  }
  /// Detaches and keeps the maps.
  void detach() { S::detach(skeleton_.get()); }
  S* operator->() const { return skeleton_.get(); }

 private:
  struct Destroy {
    void operator()(S* skeleton) const { S::destroy(skeleton); }
  };
  Skeleton(S* skeleton, std::string_view name) : skeleton_(skeleton), name_(name) {}
  std::unique_ptr<S, Destroy> skeleton_;
  std::string name_;
};

/// Device and inode of this process's PID namespace, 0 and 0 in the initial one.
std::pair<std::uint64_t, std::uint64_t> pid_namespace();

/// Tells an opened, not yet loaded skeleton which processes to watch.
template <typename S>
void aim(const Skeleton<S>& skeleton, const std::vector<Party>& parties) {
  for (std::size_t i = 0; i < parties.size() && i < WAGGLE_PARTIES; ++i) {
    skeleton->rodata->party_tgid[i] = static_cast<std::uint32_t>(parties[i].process);
  }
  const auto [device, inode] = pid_namespace();
  skeleton->rodata->pid_namespace_device = device;
  skeleton->rodata->pid_namespace_inode = inode;
  skeleton->rodata->direct_flag = O_DIRECT;
}

/// The values of all CPUs for one key of a per-CPU map; empty when there is no such key. V's size is a multiple of 8.
template <typename V, typename K>
std::vector<V> per_cpu(const bpf_map* map, const K& key) {
  std::vector<V> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  if (bpf_map_lookup_elem(bpf_map__fd(map), &key, values.data()) != 0) {
    values.clear();
  }
  return values;
}

/// Their sum, for plain counters.
std::uint64_t sum(const bpf_map* map, std::uint32_t key);

/// Runs `program` once on every CPU that is on line (BPF_PROG_TEST_RUN of a raw tracepoint program).
Result<> run_on_every_cpu(const bpf_program* program);

}  // namespace waggle::measure
