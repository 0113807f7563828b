// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "protocol/client_state.hpp"

namespace waggle::protocol {
namespace {

/// READs of one file under way at once: the next is at the server before the payload of the one before has ended, and
/// little has to be thrown away when one fails.
constexpr std::size_t kReadsUnderWay = 2;

/// Adds up extents of one transfer.
void add(Transferred& total, const Reply& reply) {
  total.bytes += reply.extent.length;
  total.verify_ns += reply.verify_ns;
  total.digest = reply.digest;
  total.version = reply.version;
}

}  // namespace

Result<Transferred> Client::read(const File& file, std::uint64_t offset, std::uint64_t length, const Destination& to) {
  const std::uint64_t start = now_ns();
  Transferred total;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::size_t under_way = 0;
  Result<> failure;
  bool ended = false;
  while (under_way != 0 || (asked < length && failure && !ended)) {
    while (asked < length && under_way < kReadsUnderWay && failure && !ended) {
      const std::uint64_t piece = std::min(length - asked, kMaxExtent);
      failure = state_->ask({file.handle, offset + asked, piece}, to);
      asked += failure ? piece : 0;
      under_way += failure ? 1 : 0;
    }
    const std::uint64_t piece = std::min(length - answered, kMaxExtent);
    WAGGLE_LET(reply, state_->answer("read", {file.handle, offset + answered, piece}, to));
    answered += piece;
    --under_way;
    if (!reply.status) {
      failure = failure ? reply.status : failure;
    } else if (failure && total.version != 0 && reply.version != total.version) {
      failure = fail(Fault::changed, "the file changed while it was sent", "fetch it again");
    } else if (failure && !ended) {
      add(total, reply);
      ended = reply.extent.length < piece;
    }
  }
  WAGGLE_TRY(failure);
  total.latency_ns = now_ns() - start;
  return total;
}

Result<Transferred> Client::write(const File& file, std::uint64_t offset, std::uint64_t length, int from) {
  const std::uint64_t start = now_ns();
  Transferred total;
  ExtentDigester tap(state_->options.digest);
  while (total.bytes < length) {
    const std::uint64_t piece = std::min(length - total.bytes, kMaxExtent);
    const ExtentId extent{file.handle, offset + total.bytes, piece};
    WAGGLE_LET(sent, state_->send_extent(extent, from, 0, tap));
    WAGGLE_LET(reply, state_->reply("write"));
    WAGGLE_TRY(sent.source);
    WAGGLE_TRY(reply.status);
    total.bytes += piece;
    total.digest = sent.root;
    if (state_->options.progress != nullptr) {
      state_->options.progress->add(now_ns(), piece);
    }
  }
  total.verify_ns = tap.nanoseconds();
  total.latency_ns = now_ns() - start;
  return total;
}

Result<Transferred> Client::download(std::string_view path, const Destination& to) {
  const std::uint64_t start = now_ns();
  const std::uint32_t handle = state_->new_handle();
  WAGGLE_TRY(state_->post(Lookup{handle, path}));
  const auto first = state_->ask({handle, 0, kMaxExtent}, to);
  WAGGLE_LET(opened, state_->reply("download"));
  if (!first) {
    WAGGLE_TRY(release({handle, {}}));
    return std::unexpected(first.error());
  }
  if (!opened.status) {
    WAGGLE_TRY(state_->answer("download", {handle, 0, kMaxExtent}, to));  // the READ's error says nothing new
    return std::unexpected(std::move(opened.status).error());
  }
  const Attributes& attributes = opened.attributes;
  Transferred total;
  Result<> failure;
  std::uint64_t answered = 0;  // READs, in kMaxExtent each
  const auto next = [&]() -> Result<> {
    WAGGLE_LET(reply, state_->answer("download", {handle, answered, kMaxExtent}, to));
    answered += kMaxExtent;
    if (failure && !reply.status) {
      failure = std::unexpected(about(path, reply.status.error()));
    } else if (failure && reply.version != attributes.version) {
      failure = fail(Fault::changed, std::string(path) + ": the file changed while it was sent", "fetch it again");
    }
    add(total, reply);
    return {};
  };
  for (std::uint64_t asked = kMaxExtent; answered < asked;) {
    while (failure && asked < attributes.size && asked - answered < kReadsUnderWay * kMaxExtent) {
      failure = state_->ask({handle, asked, kMaxExtent}, to);
      asked += failure ? kMaxExtent : 0;
    }
    WAGGLE_TRY(next());
  }
  total.latency_ns = now_ns() - start;
  WAGGLE_TRY(release({handle, attributes}));
  WAGGLE_TRY(failure);
  if (total.bytes != attributes.size) {
    return fail(Fault::changed, std::string(path) + ": the file changed its size while it was sent", "fetch it again");
  }
  return total;
}

}  // namespace waggle::protocol
