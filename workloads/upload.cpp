// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

constexpr std::string_view kLocal = "upload.bin";

/// One large file from the client into a file of the server; visible there only once verified.
class Upload final : public Workload {
 public:
  std::string_view name() const override { return "upload"; }
  std::string_view summary() const override { return "one large file, client to server"; }
  std::vector<OptionInfo> options() const override {
    return {{"size", "bytes of the file"},
            {"sink", "what receives: discard, file or tmpfs (tmpfs)"},
            {"huge", "mount the tmpfs with huge=always"},
            {"cache", "page cache of the source: warm or cold (warm)"}};
  }
  bool server_sends(const Parameters&) const override { return false; }
  bool bulk() const override { return true; }
  std::uint64_t fills(const Parameters& parameters) const override { return parameters.size; }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path&,
                      const std::filesystem::path& local) const override {
    if (parameters.sink == Incoming::Sink::discard) {
      return fail(Fault::usage, "an upload cannot be discarded: the server publishes what it has verified",
                  "choose --sink=tmpfs or --sink=file");
    }
    return make_random_file(local / kLocal, parameters.size, parameters.seed);
  }

  Result<> prepare(const Context&) const override { return {}; }

  Result<Outcome> run(const Context& context) const override {
    Outcome outcome;
    outcome.start_ns = now_ns();
    WAGGLE_LET(file, open_file(context.local / kLocal, O_RDONLY));
    const auto size = static_cast<std::uint64_t>(::lseek(file.get(), 0, SEEK_END));
    WAGGLE_LET(moved, context.client.upload(uploaded(context), file.get(), size, {}));
    outcome.end_ns = now_ns();
    outcome.payload_bytes = moved.bytes;
    outcome.operations = 1;
    outcome.verify_ns = moved.verify_ns;
    outcome.latency_ns["upload"].record(moved.latency_ns);
    return outcome;
  }

  Result<> reset(const Context& context) const override { return context.client.remove(uploaded(context)); }

 private:
  static std::string uploaded(const Context& context) { return fmt::format("uploaded-{}.bin", context.index); }
};

const Registration upload_registration{std::make_unique<Upload>()};

}  // namespace
}  // namespace waggle::workloads
