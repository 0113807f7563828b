// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/counted.hpp"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "harness/measure/programs.hpp"
#include "harness/measure/skeleton.hpp"

namespace waggle::measure {
namespace {

struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, DestroyLink>;

// A kernel has one of the two that copy into the page cache. copy_page_to_iter and copy_page_from_iter call the first
// two for every page, so they must not be counted on their own.
constexpr std::array<std::string_view, 2> kBytesSecond{"_copy_to_iter", "_copy_from_iter"};
constexpr std::array<std::string_view, 2> kBytesThird{"copy_page_from_iter_atomic", "copy_folio_from_iter_atomic"};

std::map<std::string, std::uint64_t> kernel_symbols() {
  std::map<std::string, std::uint64_t> symbols;
  std::ifstream file("/proc/kallsyms");
  std::string line;
  while (std::getline(file, line)) {  // "ffffffff81b6a2b0 T _copy_to_iter"
    const std::string_view name = std::string_view(line).substr(std::min(line.size(), line.find(' ') + 3));
    if (std::ranges::find(kBytesSecond, name) == kBytesSecond.end() &&
        std::ranges::find(kBytesThird, name) == kBytesThird.end()) {
      continue;
    }
    if (const std::uint64_t address = std::stoull(line, nullptr, 16); address != 0) {
      symbols[std::string(name)] = address;
    }
  }
  return symbols;
}

Result<UniqueFd> open_breakpoint(std::uint64_t address, int cpu) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_BREAKPOINT;
  attributes.size = sizeof(attributes);
  attributes.bp_type = HW_BREAKPOINT_X;
  attributes.bp_addr = address;
  attributes.bp_len = sizeof(long);
  attributes.sample_period = 1;
  attributes.disabled = 1;
  const long fd = ::syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    Error failure{.fault = Fault::missing,
                  .what = std::string("no hardware breakpoints on kernel code: ") + std::strerror(error),
                  .hint = "use a machine or VM whose CPU and kernel have them",
                  .system = error};
    return std::unexpected(std::move(failure));
  }
  return UniqueFd(static_cast<int>(fd));
}

class Breakpoints : public CopyCounter {
 public:
  explicit Breakpoints(Skeleton<copies_bpf> programs) : programs_(std::move(programs)) {}

  Result<> set(const std::string& symbol, std::uint64_t address, const bpf_program* program) {
    for (int cpu = 0; cpu < libbpf_num_possible_cpus(); ++cpu) {
      auto event = open_breakpoint(address, cpu);
      if (!event && event.error().system == ENODEV) {
        continue;  // this CPU is off line
      }
      if (!event) {
        return std::unexpected(std::move(event).error());
      }
      Link link(bpf_program__attach_perf_event(program, event->get()));
      if (!link) {
        return bpf_failure("cannot attach a BPF program to a breakpoint on " + symbol, errno);
      }
      event->release();  // the link closes it
      links_.push_back(std::move(link));
    }
    return {};
  }

  std::array<std::uint64_t, WAGGLE_PARTIES> stop() override {
    links_.clear();
    programs_.detach();
    std::array<std::uint64_t, WAGGLE_PARTIES> copied{};
    for (std::uint32_t party = 0; party < WAGGLE_PARTIES; ++party) {
      copied.at(party) = sum(programs_->maps.copied, party);
    }
    return copied;
  }

  Skeleton<copies_bpf>& programs() { return programs_; }

 private:
  Skeleton<copies_bpf> programs_;
  std::vector<Link> links_;
};

template <std::size_t N>
Result<std::size_t> set_all(Breakpoints& breakpoints, const std::array<std::string_view, N>& names,
                            const std::map<std::string, std::uint64_t>& symbols, const bpf_program* program) {
  std::size_t found = 0;
  for (const std::string_view name : names) {
    if (const auto symbol = symbols.find(std::string(name)); symbol != symbols.end()) {
      WAGGLE_TRY(breakpoints.set(symbol->first, symbol->second, program));
      ++found;
    }
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<CopyCounter>> CopyCounter::start(const std::vector<Party>& parties) {
  const auto symbols = kernel_symbols();
  if (symbols.empty()) {
    return fail(Fault::missing, "the addresses of the kernel's copy routines are hidden",
                "run as root and set kernel.kptr_restrict to 0 or 1");
  }
  // Cheapest first: a machine without breakpoints says so before anything is loaded.
  WAGGLE_TRY(open_breakpoint(symbols.begin()->second, 0));
  WAGGLE_LET(programs, Skeleton<copies_bpf>::open("copies"));
  aim(programs, parties);
  const auto sender = std::ranges::find(parties, record::Role::sender, &Party::role);
  programs->rodata->sending_party = sender == parties.end() ? -1 : static_cast<int>(sender - parties.begin());
  WAGGLE_TRY(programs.load());
  auto breakpoints = std::make_unique<Breakpoints>(std::move(programs));
  const auto& loaded = breakpoints->programs()->progs;
  WAGGLE_LET(second, set_all(*breakpoints, kBytesSecond, symbols, loaded.bytes_are_second));
  WAGGLE_LET(third, set_all(*breakpoints, kBytesThird, symbols, loaded.bytes_are_third));
  if (second != kBytesSecond.size() || third != 1) {
    return fail(Fault::missing, "this kernel's copy routines are not the known ones",
                "copies are traced instead; nothing needs to be done");
  }
  WAGGLE_TRY(breakpoints->programs().attach());
  return breakpoints;
}

}  // namespace waggle::measure
