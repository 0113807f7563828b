// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/placement.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.hpp"

namespace waggle::measure {
namespace {

/// Many short batches: whoever interrupts one of them leaves the others alone.
constexpr std::size_t kBatches = 31;
constexpr std::uint32_t kRounds = 100;
constexpr std::size_t kLeastBatches = 5;
constexpr std::uint64_t kPatience = 50'000'000;  // nanoseconds
constexpr std::uint32_t kSpins = 1024;           // between looks at the clock
constexpr std::uint32_t kEnd = 0xffff'ffff;
constexpr std::size_t kCalibrationRounds = 3;

/// Odd: it is the follower's turn. Alone on its cache line and on the one that is fetched beside it.
struct alignas(128) Line {
  std::atomic<std::uint32_t> turn{0};
};

/// 0, or the errno of what forbids it.
int move_to(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(cpu), &cpus);
  if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) {
    return errno;
  }
  // What polls on these CPUs would otherwise be measured. Without the right to it the batches have to do.
  const sched_param first{.sched_priority = 1};
  (void)!::sched_setscheduler(0, SCHED_FIFO, &first);
  return 0;
}

void follow(Line& line) {
  while (true) {
    const std::uint32_t turn = line.turn.load(std::memory_order_acquire);
    if (turn == kEnd) {
      return;
    }
    if (turn % 2 == 1) {
      line.turn.store(turn + 1, std::memory_order_release);
    }
  }
}

/// False when the time is over.
bool go_round(Line& line, std::uint32_t& turn, std::uint64_t until) {
  line.turn.store(turn + 1, std::memory_order_release);
  turn += 2;
  std::uint32_t spins = 0;
  while (line.turn.load(std::memory_order_acquire) != turn) {
    if (++spins % kSpins == 0 && now_ns() > until) {
      return false;
    }
  }
  return true;
}

std::optional<double> lead(Line& line) {
  std::vector<double> batches;
  const std::uint64_t until = now_ns() + kPatience;
  std::uint32_t turn = 0;
  bool in_time = go_round(line, turn, until);
  for (std::size_t batch = 0; in_time && batch < kBatches; ++batch) {
    const std::uint64_t start = now_ns();
    for (std::uint32_t round = 0; in_time && round < kRounds; ++round) {
      in_time = go_round(line, turn, until);
    }
    if (in_time) {
      batches.push_back(static_cast<double>(now_ns() - start) / kRounds);
    }
  }
  if (batches.size() < kLeastBatches) {
    return std::nullopt;
  }
  const auto middle = batches.begin() + static_cast<std::ptrdiff_t>(batches.size() / 2);
  std::ranges::nth_element(batches, middle);
  return *middle;
}

std::optional<double> frequency_mhz(int cpu) {
  std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu));
  double khz = 0;
  return file >> khz ? std::optional(khz / 1e3) : std::nullopt;
}

/// Calls `leads` on CPU `a`, when a second thread is on `b`, and `follows` there.
Result<> on_both(int a, int b, const std::function<void()>& leads, const std::function<void()>& follows) {
  std::atomic<int> error{0};
  std::atomic<int> where{a};
  std::latch both(2);
  const auto stand = [&](int cpu, const std::function<void()>& work) {
    if (const int forbidden = move_to(cpu); forbidden != 0) {
      where = cpu;
      error = forbidden;
    }
    both.arrive_and_wait();
    if (error == 0) {
      work();
    }
  };
  int missing = 2;  // threads that are not there yet
  try {
    const std::jthread leader(stand, a, std::cref(leads));
    --missing;
    try {
      const std::jthread follower(stand, b, std::cref(follows));
      --missing;
    } catch (const std::system_error& no_thread) {
      error = no_thread.code().value();
      both.count_down();
    }
  } catch (const std::system_error& no_thread) {
    error = no_thread.code().value();
  }
  if (missing > 0) {
    return fail_errno("cannot start a thread on each CPU", error, "raise the limit of tasks (ulimit -u)");
  }
  if (error != 0) {
    return fail(Fault::usage, fmt::format("cannot run on CPU {}: {}", where.load(), std::strerror(error)),
                "choose CPUs that this process may use with --cpus=N,M");
  }
  return {};
}

}  // namespace

Result<std::optional<double>> round_trip_ns(int a, int b) {
  std::optional<double> nanoseconds;
  if (a == b) {
    return nanoseconds;
  }
  Line line;
  WAGGLE_TRY(on_both(
      a, b,
      [&] {
        nanoseconds = lead(line);
        line.turn = kEnd;
      },
      [&] { follow(line); }));
  return nanoseconds;
}

Result<Look> look(int a, int b) {
  Look seen;
  Line line;
  std::optional<double> follower_mhz;
  const auto leads = [&] {
    seen.round_trip_ns = a == b ? std::nullopt : lead(line);
    line.turn = kEnd;
    if (const auto mhz = frequency_mhz(a)) {
      seen.frequency_mhz[a] = *mhz;
    }
    seen.calibration = calibrate(kCalibrationRounds);
  };
  const auto follows = [&] {
    follow(line);
    follower_mhz = frequency_mhz(b);
  };
  WAGGLE_TRY(on_both(a, b, leads, a == b ? std::function<void()>([] {}) : follows));
  if (follower_mhz) {
    seen.frequency_mhz[b] = *follower_mhz;
  }
  return seen;
}

}  // namespace waggle::measure
