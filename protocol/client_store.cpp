// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <deque>

#include "protocol/client_state.hpp"

namespace waggle::protocol {
namespace {

/// Files sent between two looks at the replies, so that the server never blocks in sending them.
constexpr std::size_t kFilesPerLook = 16;
/// A file makes at most this many replies, all of them errors: 128 files' worth of those fits the socket buffers.
constexpr std::size_t kMostFiles = 128;

}  // namespace

/// Uploads of many small files: CREATE, WRITE with its payload, DONE and COMMIT leave together, and only COMMIT is
/// answered unless something fails.
class Client::State::Store {
 public:
  Store(State& state, std::size_t count, const std::function<Result<Small>(std::size_t)>& source,
        const std::function<Result<>(std::size_t, std::uint64_t)>& done, const Failed& failed)
      : state_(state), count_(count), source_(source), done_(done), failed_(failed), tap_(state.options.digest) {}

  Result<> run() {
    const std::size_t pipeline = std::clamp<std::size_t>(state_.options.pipeline, 1, kMostFiles);
    while (true) {
      while (failure_ && sent_ < count_ && under_way_.size() < pipeline) {
        WAGGLE_TRY(send());
        if (sent_ % kFilesPerLook == 0) {
          WAGGLE_TRY(look());
        }
      }
      if (under_way_.empty()) {
        return failure_;
      }
      const std::size_t enough = failure_ && sent_ < count_ ? pipeline / 2 : 0;
      while (under_way_.size() > enough) {
        WAGGLE_TRY(wait());
      }
    }
  }

 private:
  struct Request {
    std::size_t index = 0;
    std::uint64_t sent_ns = 0;
    std::uint64_t size = 0;
    std::string path;
    bool failed = false;  ///< `failed` has been called
  };

  /// The file at `index` could not be moved.
  Result<> give_up(std::size_t index, const Error& error) {
    return failed_ ? failed_(index, error) : Result<>(std::unexpected(error));
  }

  Result<> send() {
    const std::size_t index = sent_++;
    auto small = source_(index);
    if (!small) {
      failure_ = give_up(index, small.error());
      return {};
    }
    const std::uint64_t now = now_ns();
    const std::uint32_t handle = state_.new_handle();
    if (auto posted = state_.post(Create{handle, small->size, small->mode, small->path}, flag::kQuiet); !posted) {
      if (state_.broken) {
        return posted;
      }
      failure_ = give_up(index, about(small->path.substr(0, 80), posted.error()));
      return {};
    }
    bool failed = false;
    for (std::uint64_t offset = 0; !failed && offset < small->size; offset += kMaxExtent) {
      const ExtentId extent{handle, offset, std::min(small->size - offset, kMaxExtent)};
      WAGGLE_LET(sent, state_.send_extent(extent, small->from.get(), flag::kQuiet, tap_));
      if (!sent.source) {
        failed = true;
        failure_ = give_up(index, about(small->path, sent.source.error()));
      }
    }
    if (!failed && small->still_right) {
      if (const auto right = small->still_right(); !right) {
        failed = true;
        failure_ = give_up(index, about(small->path, right.error()));
      }
    }
    if (failed) {  // nothing answers RELEASE: the COMMIT that is refused then is what the others wait for
      WAGGLE_TRY(state_.post(Release{handle}));
    }
    WAGGLE_TRY(state_.post(Commit{handle}, small->durable ? flag::kDurable : std::uint8_t{0},
                           small->durable ? small->size : 0));
    under_way_.push_back({index, now, small->size, std::move(small->path), failed});
    return {};
  }

  /// Takes the replies that are there, without waiting.
  Result<> look() {
    while (!under_way_.empty()) {
      auto event = state_.try_step(Destination{});
      if (!event) {
        return std::unexpected(std::move(event).error());
      }
      if (!*event) {
        return {};
      }
      WAGGLE_TRY(take((*event)->reply));
    }
    return {};
  }

  Result<> wait() {
    WAGGLE_LET(step, state_.step("store"));
    return take(step.reply);
  }

  Result<> take(const Reply& reply) {
    if (under_way_.empty()) {
      return state_.breaks({Fault::protocol, "the server sent a reply that nothing waits for"});
    }
    Request& request = under_way_.front();
    if (failure_ && !reply.status && !std::exchange(request.failed, true)) {
      failure_ = give_up(request.index, about(request.path, reply.status.error()));
    }
    if (reply.of != Op::commit) {
      return {};
    }
    if (failure_ && !request.failed) {
      const std::uint64_t now = now_ns();
      if (state_.options.progress != nullptr) {
        state_.options.progress->add(now, request.size);
      }
      failure_ = done_(request.index, now - request.sent_ns);
    }
    under_way_.pop_front();
    return {};
  }

  State& state_;
  std::size_t count_;
  const std::function<Result<Small>(std::size_t)>& source_;
  const std::function<Result<>(std::size_t, std::uint64_t)>& done_;
  const Failed& failed_;
  ExtentDigester tap_;
  std::size_t sent_ = 0;
  std::deque<Request> under_way_;
  Result<> failure_;
};

Result<> Client::store_many(std::size_t count, const std::function<Result<Small>(std::size_t)>& source,
                            const std::function<Result<>(std::size_t index, std::uint64_t latency_ns)>& done,
                            const Failed& failed) {
  return State::Store(*state_, count, source, done, failed).run();
}

}  // namespace waggle::protocol
