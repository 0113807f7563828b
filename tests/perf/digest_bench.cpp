// SPDX-License-Identifier: BSD-2-Clause
#include <benchmark/benchmark.h>

#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"

namespace waggle {
namespace {

std::vector<std::byte> some_bytes(std::size_t length) {
  std::vector<std::byte> bytes(length);
  std::uint64_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::byte>(state >> 56U);
  }
  return bytes;
}

/// One buffer that stays in the cache, hashed at once.
void one_shot(benchmark::State& state, DigestKind kind) {
  const auto bytes = some_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(digest_of(kind, bytes));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(digest_vectors()));
}

/// An extent of 16 MiB fed in pieces out of one hot buffer, as a mover does; `watched` with the timeline of a run,
/// which the harness never leaves out.
void extent(benchmark::State& state, DigestKind kind, bool watched) {
  constexpr std::int64_t kExtent = 16 * 1024 * 1024;
  const auto bytes = some_bytes(static_cast<std::size_t>(state.range(0)));
  ExtentDigester digester(kind);
  Progress progress;
  progress.start_ns = now_ns();
  digester.observe(watched ? &progress : nullptr);
  for (auto _ : state) {
    digester.reset();
    for (std::int64_t fed = 0; fed < kExtent; fed += state.range(0)) {
      digester.update(bytes);
    }
    benchmark::DoNotOptimize(digester.finish());
  }
  state.SetBytesProcessed(state.iterations() * kExtent);
}

/// A whole small file: reset, one update, finish.
void small_file(benchmark::State& state, DigestKind kind) {
  const auto bytes = some_bytes(static_cast<std::size_t>(state.range(0)));
  ExtentDigester digester(kind);
  for (auto _ : state) {
    digester.reset();
    digester.update(bytes);
    benchmark::DoNotOptimize(digester.finish());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(one_shot, xxh3, DigestKind::xxh3_128)->Arg(64)->Arg(4096)->Arg(256 * 1024);
BENCHMARK_CAPTURE(one_shot, sha256, DigestKind::sha256)->Arg(64)->Arg(256 * 1024);
BENCHMARK_CAPTURE(extent, xxh3, DigestKind::xxh3_128, false)->Arg(4096)->Arg(65536)->Arg(256 * 1024)->Arg(1024 * 1024);
BENCHMARK_CAPTURE(extent, xxh3_watched, DigestKind::xxh3_128, true)
    ->Arg(4096)
    ->Arg(65536)
    ->Arg(256 * 1024)
    ->Arg(1024 * 1024);
BENCHMARK_CAPTURE(extent, sha256, DigestKind::sha256, false)->Arg(256 * 1024);
BENCHMARK_CAPTURE(small_file, xxh3, DigestKind::xxh3_128)->Arg(0)->Arg(64)->Arg(8192);
BENCHMARK_CAPTURE(small_file, sha256, DigestKind::sha256)->Arg(8192);

}  // namespace
}  // namespace waggle

BENCHMARK_MAIN();
