// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

struct impair_bpf;

namespace waggle::xdp {

/// What a bad link does to frames, each chance per mille and decided frame by frame from the seed.
struct ImpairmentOptions {
  std::uint32_t loss = 0;
  std::uint32_t duplicate = 0;
  std::uint32_t reorder = 0;  ///< these are delayed by a detour over another CPU: by how much is up to the scheduler
  std::uint64_t seed = 1;
};

/// What became of the frames of one direction.
struct Fates {
  std::uint64_t passed = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t late = 0;
};

/// A bad link between two network devices, normally the middle of three namespaces: client - veth - middle - veth -
/// server. Frames that come in on one device go out on the other as they are, ARP included, so that both ends are in
/// one IP network. It takes part in no transfer, hence works alike for TCP, UDP and AF_XDP. Attached in generic mode,
/// which asks nothing of the devices; the ends must not segment below IP (TSO and GSO off), since a middle box cannot
/// forward what is larger than the MTU. Goes with this object and its process.
class Impairment {
 public:
  /// Attaches to two devices of the calling thread's network namespace. Fault::missing when the kernel refuses.
  static Result<Impairment> attach(const std::string& first, const std::string& second,
                                   const ImpairmentOptions& options);
  /// Loaded but not attached, for tests: everything comes from and goes to the device of index `device`.
  static Result<Impairment> load(std::uint32_t device, const ImpairmentOptions& options);

  Fates from_first() const;
  Fates from_second() const;
  /// Of the program, for BPF_PROG_TEST_RUN.
  int fd() const;

 private:
  struct Destroy {
    void operator()(impair_bpf* skeleton) const;
  };
  explicit Impairment(impair_bpf* skeleton) : skeleton_(skeleton) {}
  static Result<Impairment> load(std::uint32_t first, std::uint32_t second, const ImpairmentOptions& options);
  Result<> attach_to(const std::string& device, std::uint32_t index, UniqueFd& link);
  Fates fates(unsigned direction) const;

  std::unique_ptr<impair_bpf, Destroy> skeleton_;
  UniqueFd first_;
  UniqueFd second_;
};

}  // namespace waggle::xdp
