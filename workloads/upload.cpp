// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "workloads/content.hpp"
#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

constexpr std::string_view kLocal = "upload.bin";

struct UploadOptions {
  std::uint64_t size = std::uint64_t{1} << 30;
};

const OptionTable<UploadOptions>& upload_options() {
  static const OptionTable<UploadOptions> table{
      {"size", &UploadOptions::size, OptionType::bytes(), "of the file"},
  };
  return table;
}

/// One large file from the client into a file of the server; visible there only once verified.
class Upload final : public Workload {
 public:
  std::string_view name() const override { return "upload"; }
  std::string_view summary() const override { return "one large file, client to server"; }
  Traits traits() const override {
    return {.bulk = true, .fills_sink = true, .reads_files = true, .file_size = "size", .takes_file = true};
  }
  const std::vector<OptionInfo>& options() const override { return upload_options().infos(); }
  bool server_sends(const Parameters&) const override { return false; }
  std::uint64_t fills(const Parameters& parameters) const override { return size_of(parameters); }
  std::uint64_t makes(const Parameters& parameters) const override { return size_of(parameters); }

  Result<> check(const Parameters& parameters) const override {
    return parameters.sink == Incoming::Sink::discard
               ? fail(Fault::usage, "an upload cannot be discarded: the server publishes what it has verified",
                      "choose --sink=tmpfs or --sink=file")
               : Result<>();
  }

  Result<> make_files(const Parameters& parameters, const std::filesystem::path&,
                      const std::filesystem::path& local) const override {
    return make_random_file(local / kLocal, size_of(parameters), parameters.seed);
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
  static std::uint64_t size_of(const Parameters& parameters) { return upload_options().read(parameters.own).size; }
  static std::string uploaded(const Context& context) { return fmt::format("uploaded-{}.bin", context.index); }
};

const Registration upload_registration{std::make_unique<Upload>()};

}  // namespace
}  // namespace waggle::workloads
