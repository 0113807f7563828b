// SPDX-License-Identifier: BSD-2-Clause
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "datapaths/packet/transport/crc32c.hpp"
#include "datapaths/packet/transport/crc32c_kernels.hpp"

namespace waggle::packet {
namespace {

/// Payloads of packets at the frame sizes that the ports use: 1,500 and 3,400 bytes and jumbo.
void sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(64)->Arg(1400)->Arg(3300)->Arg(8900);
}

/// Packets lie one after the other in 4 MiB: in the second or third level cache, as a file in the page cache that is
/// sent again and again would be.
struct Packets {
  static constexpr std::size_t kRoom = 4 * 1024 * 1024;
  explicit Packets(std::size_t length) : step((length + 63) / 64 * 64), from(kRoom, std::byte{0x5A}), to(16384) {}
  const std::byte* next() {
    at = at + 2 * step > from.size() ? 0 : at + step;
    return from.data() + at;
  }

  std::size_t step;
  std::vector<std::byte> from;
  std::vector<std::byte> to;
  std::size_t at = 0;
};

bool skipped(benchmark::State& state, const crc::Kernel& kernel) {
  if (!kernel.supported()) {
    state.SkipWithError("this CPU lacks it");
    return true;
  }
  return false;
}

void checksum(benchmark::State& state, const crc::Kernel* kernel) {
  const auto length = static_cast<std::size_t>(state.range(0));
  Packets packets(length);
  if (skipped(state, *kernel)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel->update(~0U, packets.next(), length));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void fused_copy(benchmark::State& state, const crc::Kernel* kernel) {
  const auto length = static_cast<std::size_t>(state.range(0));
  Packets packets(length);
  if (skipped(state, *kernel)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel->copy(~0U, packets.to.data(), packets.next(), length));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

/// Two passes, what the fused copy is to beat: memcpy(), then the checksum of the copy.
void copy_then_checksum(benchmark::State& state, const crc::Kernel* kernel) {
  const auto length = static_cast<std::size_t>(state.range(0));
  Packets packets(length);
  if (skipped(state, *kernel)) {
    return;
  }
  for (auto _ : state) {
    std::memcpy(packets.to.data(), packets.next(), length);
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(kernel->update(~0U, packets.to.data(), length));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void copy_only(benchmark::State& state) {
  const auto length = static_cast<std::size_t>(state.range(0));
  Packets packets(length);
  for (auto _ : state) {
    std::memcpy(packets.to.data(), packets.next(), length);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

#if defined(__x86_64__)
BENCHMARK_CAPTURE(checksum, vpclmulqdq, &crc::kVector)->Apply(sizes);
BENCHMARK_CAPTURE(checksum, sse42, &crc::kSse42)->Apply(sizes);
BENCHMARK_CAPTURE(fused_copy, vpclmulqdq, &crc::kVector)->Apply(sizes);
BENCHMARK_CAPTURE(fused_copy, sse42, &crc::kSse42)->Apply(sizes);
BENCHMARK_CAPTURE(copy_then_checksum, vpclmulqdq, &crc::kVector)->Apply(sizes);
BENCHMARK_CAPTURE(copy_then_checksum, sse42, &crc::kSse42)->Apply(sizes);
#elif defined(__aarch64__)
BENCHMARK_CAPTURE(checksum, armv8, &crc::kArm)->Apply(sizes);
BENCHMARK_CAPTURE(fused_copy, armv8, &crc::kArm)->Apply(sizes);
BENCHMARK_CAPTURE(copy_then_checksum, armv8, &crc::kArm)->Apply(sizes);
#endif
BENCHMARK_CAPTURE(checksum, table, &crc::kTable)->Apply(sizes);
BENCHMARK(copy_only)->Apply(sizes);

}  // namespace
}  // namespace waggle::packet

BENCHMARK_MAIN();
