// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/xdp/impair.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <array>

#include "datapaths/xdp/impair_skeleton.hpp"
#include "datapaths/xdp/messages.hpp"

namespace waggle::xdp {
namespace {

constexpr std::uint32_t kToFirst = 0;
constexpr std::uint32_t kToSecond = 1;
constexpr std::uint32_t kDetourFrames = 2048;

Result<> put(const bpf_map* map, std::uint32_t key, const void* value) {
  if (bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY) != 0) {
    return fail_errno("cannot set up the bad link");
  }
  return {};
}

}  // namespace

void Impairment::Destroy::operator()(impair_bpf* skeleton) const {
  impair_bpf::destroy(skeleton);
}

Result<Impairment> Impairment::load(std::uint32_t first, std::uint32_t second, const ImpairmentOptions& options) {
  const Messages messages;
  Impairment made(impair_bpf::open());
  if (!made.skeleton_) {
    return messages.failure("cannot open the XDP program of the bad link", errno);
  }
  impair_bpf& skeleton = *made.skeleton_;
  skeleton.rodata->first = first;
  skeleton.rodata->loss = options.loss;
  skeleton.rodata->duplicate = options.duplicate;
  skeleton.rodata->reorder = options.reorder;
  skeleton.rodata->seed = options.seed;
  // The last CPU: senders of tests are pinned to the first ones, if at all.
  const auto cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  skeleton.rodata->detour = cpus - 1;
  bpf_map__set_max_entries(skeleton.maps.later, cpus);
  if (const int error = impair_bpf::load(&skeleton); error != 0) {
    return messages.failure("cannot load the XDP program of the bad link", -error);
  }
  WAGGLE_TRY(put(skeleton.maps.once, kToFirst, &first));
  WAGGLE_TRY(put(skeleton.maps.once, kToSecond, &second));
  for (const std::uint32_t copy : {0U, 1U}) {
    WAGGLE_TRY(put(skeleton.maps.twice_to_first, copy, &first));
    WAGGLE_TRY(put(skeleton.maps.twice_to_second, copy, &second));
  }
  bpf_cpumap_val thread{};
  thread.qsize = kDetourFrames;
  thread.bpf_prog.fd = bpf_program__fd(skeleton.progs.arrive);
  WAGGLE_TRY(put(skeleton.maps.later, skeleton.rodata->detour, &thread));
  return made;
}

Result<Impairment> Impairment::load(std::uint32_t device, const ImpairmentOptions& options) {
  return load(device, device, options);
}

Result<Impairment> Impairment::attach(const std::string& first, const std::string& second,
                                      const ImpairmentOptions& options) {
  const std::array<unsigned, 2> indices{::if_nametoindex(first.c_str()), ::if_nametoindex(second.c_str())};
  if (indices[0] == 0 || indices[1] == 0) {
    return fail(Fault::usage, fmt::format("there is no network device {}", indices[0] == 0 ? first : second));
  }
  WAGGLE_LET(made, load(indices[0], indices[1], options));
  WAGGLE_TRY(made.attach_to(first, indices[0], made.first_));
  WAGGLE_TRY(made.attach_to(second, indices[1], made.second_));
  return made;
}

Result<> Impairment::attach_to(const std::string& device, std::uint32_t index, UniqueFd& link) {
  const Messages messages;
  bpf_link_create_opts options{.sz = sizeof options};
  options.flags = XDP_FLAGS_SKB_MODE;
  const int made = bpf_link_create(fd(), static_cast<int>(index), BPF_XDP, &options);
  if (made < 0) {
    return messages.failure(fmt::format("cannot attach the bad link to {}", device), -made);
  }
  link.reset(made);
  return {};
}

int Impairment::fd() const {
  return bpf_program__fd(skeleton_->progs.impair);
}

Fates Impairment::fates(unsigned direction) const {
  const auto& counts = skeleton_->bss->fates[direction];
  return {.passed = counts[0], .lost = counts[1], .doubled = counts[2], .late = counts[3]};
}

Fates Impairment::from_first() const {
  return fates(kToSecond);
}

Fates Impairment::from_second() const {
  return fates(kToFirst);
}

}  // namespace waggle::xdp
