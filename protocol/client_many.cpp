// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/copy_meter.hpp"
#include "protocol/client_state.hpp"

namespace waggle::protocol {
namespace {

/// Bytes that a message of `size` bytes takes on the stream carrier.
constexpr std::size_t framed(std::size_t size) {
  return 32 + size;
}

}  // namespace

/// Downloads of many small files, three pipelined requests each. Requests go out in batches of half the pipeline, so
/// that the server always has work and neither side pays a system call per file.
class Client::State::Fetch {
 public:
  Fetch(State& state, std::span<const std::string> paths, const std::function<Result<>(const Fetched&)>& done,
        const Failed& failed)
      : state_(state), paths_(paths), done_(done), failed_(failed) {}

  Result<> run() {
    const std::size_t pipeline = std::max<std::size_t>(1, state_.options.pipeline);
    while (true) {
      if (failure_ && sent_ < paths_.size() && under_way_.size() <= pipeline / 2) {
        WAGGLE_TRY(fill(pipeline));
      }
      if (under_way_.empty()) {
        return failure_;
      }
      WAGGLE_LET(now, state_.step("fetch", Destination{.sink = Incoming::Sink::view}));
      WAGGLE_TRY(now.kind == Step::Kind::payload ? payload(now) : reply(now.reply));
    }
  }

 private:
  struct Request {
    std::size_t index = 0;
    std::uint64_t sent_ns = 0;
    std::size_t request_bytes = 0;
    bool opened = false;
    bool shown = false;   ///< `done` has been called
    bool failed = false;  ///< `failed` has been called
    Attributes attributes;
  };

  Result<> fill(std::size_t pipeline) {
    const std::uint64_t now = now_ns();
    while (sent_ < paths_.size() && under_way_.size() < pipeline) {
      const std::string& path = paths_[sent_];
      const std::size_t bytes = framed(kHeadSize + 6 + path.size()) + framed(kHeadSize + 20) + framed(kHeadSize + 4);
      if (!under_way_.empty() && outstanding_ + bytes > kMostOutstanding) {
        break;
      }
      const std::uint32_t handle = state_.new_handle();
      if (auto posted = state_.post(Lookup{handle, path}); !posted) {
        if (state_.broken) {
          return posted;
        }
        failure_ = give_up(sent_, about(path.substr(0, 80), posted.error()));
        if (!failure_) {
          break;
        }
        ++sent_;
        continue;
      }
      WAGGLE_TRY(state_.post(Read{{handle, 0, kMaxView}}));
      WAGGLE_TRY(state_.post(Release{handle}));
      under_way_.push_back({.index = sent_++, .sent_ns = now, .request_bytes = bytes});
      outstanding_ += bytes;
    }
    return state_.flush();
  }

  Result<> reply(Reply& reply) {
    if (under_way_.empty()) {
      return state_.breaks({Fault::protocol, "the server sent a reply that nothing waits for"});
    }
    Request& request = under_way_.front();
    if (reply.of == Op::lookup) {
      request.opened = reply.status.has_value();
      request.attributes = reply.attributes;
      if (reply.status && reply.attributes.size > kMaxView) {
        reply.status = fail(Fault::usage, fmt::format("a file of {} bytes is not small", reply.attributes.size),
                            "download it by itself");
      }
      fails(request, reply.status);
      return {};
    }
    if (!reply.last) {
      return {};
    }
    finish(request, reply);
    outstanding_ -= request.request_bytes;
    under_way_.pop_front();
    return {};
  }

  /// Verified content is shown where it arrived; what cannot be verified yet is kept until DONE brings the digest.
  Result<> payload(const Step& step) {
    Request& request = under_way_.front();
    if (!failure_ || !request.opened || request.failed) {
      return {};
    }
    if (step.verified && step.view.size() == request.attributes.size) {
      request.shown = true;
      show(request, step.view, step.verify_ns);
    } else {
      state_.copy.resize(step.view.size());
      copy_payload(state_.copy, step.view);
    }
    return {};
  }

  void finish(Request& request, const Reply& reply) {
    fails(request, reply.status);
    if (!failure_ || request.failed) {
      return;
    }
    if (reply.version != request.attributes.version || reply.extent.length != request.attributes.size) {
      fails(request, fail(Fault::changed, "the file changed while it was sent", "fetch it again"));
    } else if (!request.shown) {
      show(request, ByteView(state_.copy).first(reply.extent.length), reply.verify_ns);
    }
  }

  void show(const Request& request, ByteView content, std::uint64_t verify_ns) {
    failure_ = done_(Fetched{.index = request.index,
                             .content = content,
                             .attributes = request.attributes,
                             .latency_ns = now_ns() - request.sent_ns,
                             .verify_ns = verify_ns});
  }

  Result<> give_up(std::size_t index, const Error& error) {
    return failed_ ? failed_(index, error) : Result<>(std::unexpected(error));
  }

  void fails(Request& request, const Result<>& status) {
    if (failure_ && !status && !std::exchange(request.failed, true)) {
      // A failed LOOKUP names the path itself.
      failure_ = give_up(request.index, request.opened ? about(paths_[request.index], status.error()) : status.error());
    }
  }

  State& state_;
  std::span<const std::string> paths_;
  const std::function<Result<>(const Fetched&)>& done_;
  const Failed& failed_;
  std::size_t sent_ = 0;
  std::size_t outstanding_ = 0;  ///< request bytes
  std::deque<Request> under_way_;
  Result<> failure_;
};

Result<> Client::fetch_many(std::span<const std::string> paths, const std::function<Result<>(const Fetched&)>& done,
                            const Failed& failed) {
  return State::Fetch(*state_, paths, done, failed).run();
}

Result<> Client::read_many(const File& file, std::size_t depth, const std::function<bool(ReadRequest&)>& next,
                           const std::function<Result<>(const Transferred&)>& done) {
  constexpr std::size_t kRequest = framed(kHeadSize + 20);
  depth = std::clamp<std::size_t>(depth, 1, State::kMostOutstanding / kRequest);
  std::deque<std::uint64_t> sent_ns;
  Result<> failure;
  bool more = true;
  while (true) {
    while (failure && more && sent_ns.size() < depth) {
      ReadRequest request;
      more = next(request);
      if (more) {
        if (auto posted = state_->post(Read{{file.handle, request.offset, request.length}}); posted) {
          sent_ns.push_back(now_ns());
        } else {
          failure = posted;
        }
      }
    }
    if (sent_ns.empty()) {
      return failure;
    }
    WAGGLE_LET(reply, state_->reply("read"));
    const std::uint64_t now = now_ns();
    if (failure) {
      failure = reply.status ? done({.bytes = reply.extent.length,
                                     .latency_ns = now - sent_ns.front(),
                                     .verify_ns = reply.verify_ns,
                                     .digest = reply.digest})
                             : reply.status;
    }
    sent_ns.pop_front();
  }
}

}  // namespace waggle::protocol
