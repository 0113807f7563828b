// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

struct RandReadOptions {
  std::uint64_t size = std::uint64_t{1} << 30;
  std::uint64_t block = 4096;
  std::uint64_t count = 20'000;
  std::uint64_t depth = 1;
};

const OptionTable<RandReadOptions>& rand_read_options() {
  static const OptionTable<RandReadOptions> table{
      {"size", &RandReadOptions::size, OptionType::bytes(), "of the file"},
      {"block", &RandReadOptions::block, OptionType::bytes(1, kMaxView), "per read"},
      {"count", &RandReadOptions::count, OptionType::number(1), "reads"},
      {"depth", &RandReadOptions::depth, OptionType::number(1), "reads under way"},
  };
  return table;
}

/// Reads of one block each at random places of one file, `depth` of them under way.
class RandRead final : public Workload {
 public:
  std::string_view name() const override { return "rand-read"; }
  std::string_view summary() const override { return "blocks at random places of one file, discarded once verified"; }
  Traits traits() const override { return {.reads_files = true, .file_size = "size"}; }
  const std::vector<OptionInfo>& options() const override { return rand_read_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }
  std::uint64_t makes(const Parameters& parameters) const override {
    return rand_read_options().read(parameters.own).size;
  }

  Result<> check(const Parameters& parameters) const override {
    const RandReadOptions own = rand_read_options().read(parameters.own);
    return own.block > own.size
               ? fail(Fault::usage, fmt::format("a block of {} bytes does not fit a file of {}", own.block, own.size),
                      "choose --block <= --size")
               : Result<>();
  }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path&) const override {
    return make_random_file(served / kServedFile, rand_read_options().read(parameters.own).size, parameters.seed);
  }

  Result<> prepare(const Context& context) const override {
    WAGGLE_LET(file, context.client.lookup(kServedFile));
    return context.client.release(file);
  }

  Result<Outcome> run(const Context& context) const override {
    const RandReadOptions own = rand_read_options().read(context.parameters.own);
    std::uint64_t left = own.count;
    Outcome outcome;
    outcome.start_ns = now_ns();
    WAGGLE_LET(file, context.client.lookup(kServedFile));
    const std::uint64_t blocks = std::max<std::uint64_t>(1, file.attributes.size / own.block);
    Random random(context.parameters.seed + context.index);
    auto& latency = outcome.latency_ns["read"];
    const auto next = [&](protocol::Client::ReadRequest& request) {
      if (left == 0) {
        return false;
      }
      --left;
      request = {random.below(blocks) * own.block, own.block};
      return true;
    };
    const auto done = [&](const protocol::Transferred& moved) -> Result<> {
      latency.record(moved.latency_ns);
      outcome.payload_bytes += moved.bytes;
      outcome.verify_ns += moved.verify_ns;
      ++outcome.operations;
      return {};
    };
    WAGGLE_TRY(context.client.read_many(file, own.depth, next, done));
    outcome.end_ns = now_ns();
    WAGGLE_TRY(context.client.release(file));
    return outcome;
  }

  Result<> reset(const Context&) const override { return {}; }
};

const Registration rand_read_registration{std::make_unique<RandRead>()};

}  // namespace
}  // namespace waggle::workloads
