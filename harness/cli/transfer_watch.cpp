// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/transfer_watch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/standard_error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "harness/cli/progress.hpp"
#include "harness/cli/signals_blocked.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::cli {

TransferWatch::TransferWatch(const Global& global) {
  if (!global.quiet && stderr_is_terminal()) {
    const SignalsBlocked elsewhere;
    drawer_ = std::jthread([this, global](std::stop_token stop) { draw(global, std::move(stop)); });
  }
}

void TransferWatch::expect(std::uint64_t bytes) {
  expected_ += bytes;
}

void TransferWatch::skip(std::uint64_t bytes) {
  skipped_ += bytes;
}

void TransferWatch::doing(std::string name) {
  if (drawer_.joinable()) {
    const std::lock_guard lock(mutex_);
    doing_ = std::move(name);
  }
}

void TransferWatch::failed(const Error& error) {
  const std::lock_guard lock(mutex_);  // the line that moves is drawn under it
  print_error("{}harness: {}\n", drawer_.joinable() ? "\r\x1b[K" : "", printable(error.text()));
}

void TransferWatch::stop() {
  if (drawer_.joinable()) {
    drawer_.request_stop();
    drawer_.join();
  }
}

void TransferWatch::draw(const Global& global, std::stop_token stop) {
  ProgressBar bar(global);
  const std::uint64_t start = now_ns();
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, stop, std::chrono::milliseconds(100), [&] { return stop.stop_requested(); })) {
    const auto moved = static_cast<double>(progress_->bytes.load());
    const auto done = moved + static_cast<double>(skipped_.load());
    const auto expected = static_cast<double>(expected_.load());
    const double seconds = static_cast<double>(now_ns() - start) / 1e9;
    bar.update(expected > 0 ? done / expected : -1, doing_, moved / seconds);
  }
}

Error about(const std::string& path, Error error) {
  if (error.what.find(path) == std::string::npos) {
    error.what = fmt::format("'{}': {}", path, error.what);
  }
  return error;
}

Result<> go_past(Result<> done, TransferWatch& watch, TransferTotal& total) {
  if (done) {
    return done;
  }
  switch (done.error().fault) {
    case Fault::cancelled:
    case Fault::peer_gone:
    case Fault::timeout:
    case Fault::protocol: return done;
    default: break;
  }
  watch.failed(done.error());
  ++total.failed;
  return {};
}

Result<> all_of(const TransferTotal& total) {
  return total.failed == 0 ? Result<>()
                           : fail(Fault::io, fmt::format("{} failed, named above; all others are there and verified",
                                                         format_count(total.failed)));
}

std::unexpected<Error> inside_itself(const std::string& target) {
  return fail(Fault::usage, fmt::format("'{}' is inside the tree that would be copied into it", target),
              "choose a target outside");
}

void print_total(const Global& global, const TransferTotal& total, const std::string& from, const std::string& to,
                 const std::string& digest, std::FILE* out) {
  const auto elapsed = static_cast<double>(now_ns() - total.start_ns);
  const double rate = static_cast<double>(total.bytes - total.unchanged) * 8e9 / elapsed;
  if (global.json) {
    const nlohmann::json result = {{"from", from},
                                   {"to", to},
                                   {"files", total.files},
                                   {"bytes", total.bytes},
                                   {"unchanged_bytes", total.unchanged},
                                   {"left_out", total.left_out},
                                   {"failed", total.failed},
                                   {"seconds", elapsed / 1e9},
                                   {"goodput_bits_per_second", rate},
                                   {"congestion", total.congestion},
                                   {"digest", digest},
                                   {"verified", total.failed == 0}};
    fmt::print(out, "{}\n", record::json_text(result));
    return;
  }
  if (out == stderr && global.quiet) {
    return;
  }
  const std::string files = total.files == 1 ? "" : fmt::format("{} files, ", format_count(total.files));
  const std::string there =
      total.unchanged == 0 ? "" : fmt::format(", {} of it there already or holes", format_bytes(total.unchanged));
  const std::string failed = total.failed == 0 ? "" : fmt::format("; {} failed", format_count(total.failed));
  fmt::print(out, "{} -> {}: {}{}{} in {}, {}, verified ({}){}\n", printable(from), printable(to), files,
             format_bytes(total.bytes), there, format_duration_ns(elapsed), format_rate(rate), digest, failed);
  if (global.quiet) {
    return;
  }
  if (const std::uint64_t special = total.left_out - total.unfinished; special != 0) {
    print_error("{} links or special files were left out\n", format_count(special));
  }
  if (total.unfinished != 0) {
    print_error("{} unfinished files (.waggle-….part) were left out\n", format_count(total.unfinished));
  }
}

}  // namespace waggle::cli
