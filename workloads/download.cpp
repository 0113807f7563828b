// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include <cstdio>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

struct DownloadOptions {
  std::uint64_t size = std::uint64_t{1} << 30;
};

const OptionTable<DownloadOptions>& download_options() {
  static const OptionTable<DownloadOptions> table{
      {"size", &DownloadOptions::size, OptionType::bytes(), "of the file"},
  };
  return table;
}

/// One large file from the server into the client's sink.
class Download final : public Workload {
 public:
  std::string_view name() const override { return "download"; }
  std::string_view summary() const override { return "one large file, server to client"; }
  Traits traits() const override {
    return {.bulk = true, .fills_sink = true, .reads_files = true, .file_size = "size", .takes_file = true};
  }
  const std::vector<OptionInfo>& options() const override { return download_options().infos(); }
  bool server_sends(const Parameters&) const override { return true; }
  std::uint64_t fills(const Parameters& parameters) const override { return size_of(parameters); }
  std::uint64_t makes(const Parameters& parameters) const override { return size_of(parameters); }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path& served,
                      const std::filesystem::path&) const override {
    return make_random_file(served / kServedFile, size_of(parameters), parameters.seed);
  }

  Result<> prepare(const Context& context) const override {
    WAGGLE_LET(file, context.client.lookup(kServedFile));
    WAGGLE_TRY(context.client.digests(file, 0, file.attributes.size));
    return context.client.release(file);
  }

  Result<Outcome> run(const Context& context) const override {
    const auto target = context.local / fmt::format("download-{}.bin", context.index);
    const auto partial = context.local / fmt::format("download-{}.part", context.index);
    Outcome outcome;
    outcome.start_ns = now_ns();
    protocol::Destination destination{.sink = context.parameters.sink};
    if (destination.sink == Incoming::Sink::file) {
      WAGGLE_LET(opened, open_file(partial, O_RDWR | O_CREAT | O_TRUNC));
      destination.file = SharedFd(std::move(opened));
    }
    WAGGLE_LET(moved, context.client.download(kServedFile, destination));
    if (destination.file && std::rename(partial.c_str(), target.c_str()) != 0) {
      return fail_errno(fmt::format("cannot rename {}", partial.string()));
    }
    outcome.end_ns = now_ns();
    outcome.payload_bytes = moved.bytes;
    outcome.operations = 1;
    outcome.verify_ns = moved.verify_ns;
    outcome.latency_ns["download"].record(moved.latency_ns);
    return outcome;
  }

  Result<> reset(const Context& context) const override {
    std::error_code ignored;
    std::filesystem::remove(context.local / fmt::format("download-{}.bin", context.index), ignored);
    return {};
  }

 private:
  static std::uint64_t size_of(const Parameters& parameters) { return download_options().read(parameters.own).size; }
};

const Registration download_registration{std::make_unique<Download>()};

}  // namespace
}  // namespace waggle::workloads
