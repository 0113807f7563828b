// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

constexpr std::uint64_t kDefaultReads = 20'000;

/// Reads of one block each at random places of one file, `depth` of them under way.
class RandRead final : public Workload {
 public:
  std::string_view name() const override { return "rand-read"; }
  std::string_view summary() const override { return "blocks at random places of one file, discarded once verified"; }
  std::vector<OptionInfo> options() const override {
    return {{"size", "bytes of the file"},
            {"block", "bytes per read (4 KiB)"},
            {"count", "reads (20,000)"},
            {"depth", "reads under way (1)"},
            {"cache", "page cache of the source: warm or cold (warm)"}};
  }
  bool server_sends(const Parameters&) const override { return true; }
  bool bulk() const override { return false; }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path&) const override {
    if (parameters.block > kMaxView) {
      return fail(Fault::usage, fmt::format("a block of {} bytes is more than a reader looks at", parameters.block),
                  fmt::format("keep --block at or below {}", kMaxView));
    }
    if (parameters.block == 0 || parameters.block > parameters.size) {
      return fail(Fault::usage,
                  fmt::format("a block of {} bytes does not fit a file of {}", parameters.block, parameters.size),
                  "choose 1 <= --block <= --size");
    }
    return make_random_file(served / kServedFile, parameters.size, parameters.seed);
  }

  Result<> prepare(const Context& context) const override {
    WAGGLE_LET(file, context.client.lookup(kServedFile));
    return context.client.release(file);
  }

  Result<Outcome> run(const Context& context) const override {
    const auto& parameters = context.parameters;
    std::uint64_t left = parameters.count == 0 ? kDefaultReads : parameters.count;
    Outcome outcome;
    outcome.start_ns = now_ns();
    WAGGLE_LET(file, context.client.lookup(kServedFile));
    const std::uint64_t blocks = std::max<std::uint64_t>(1, file.attributes.size / parameters.block);
    Random random(parameters.seed + context.index);
    auto& latency = outcome.latency_ns["read"];
    const auto next = [&](protocol::Client::ReadRequest& request) {
      if (left == 0) {
        return false;
      }
      --left;
      request = {random.below(blocks) * parameters.block, parameters.block};
      return true;
    };
    const auto done = [&](const protocol::Transferred& moved) -> Result<> {
      latency.record(moved.latency_ns);
      outcome.payload_bytes += moved.bytes;
      outcome.verify_ns += moved.verify_ns;
      ++outcome.operations;
      return {};
    };
    WAGGLE_TRY(context.client.read_many(file, parameters.depth, next, done));
    outcome.end_ns = now_ns();
    WAGGLE_TRY(context.client.release(file));
    return outcome;
  }

  Result<> reset(const Context&) const override { return {}; }
};

const Registration rand_read_registration{std::make_unique<RandRead>()};

}  // namespace
}  // namespace waggle::workloads
