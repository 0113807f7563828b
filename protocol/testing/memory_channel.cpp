// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/testing/memory_channel.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "datapaths/sense.hpp"
#include "protocol/testing/admission.hpp"

namespace waggle::protocol::testing {
namespace {

struct Frame {
  std::vector<std::byte> message;
  std::optional<ExtentId> announced;
  std::vector<std::byte> payload;
};

/// One direction.
struct Pipe {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Frame> frames;
  bool closed = false;
  bool aborted = false;

  void close() {
    const std::lock_guard lock(mutex);
    closed = true;
    changed.notify_all();
  }
};

class MemoryChannel final : public Channel {
 public:
  MemoryChannel(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, Mischief mischief)
      : in_(std::move(in)), out_(std::move(out)), mischief_(std::move(mischief)) {}
  ~MemoryChannel() override {
    out_->close();
    in_->close();
  }

  Facts facts() const override { return {"memory", "memory", Carrier::stream, {}}; }
  Counters counters() const override { return {{"messages", messages_}}; }

  Result<> send(ByteView message) override { return push({{message.begin(), message.end()}, std::nullopt, {}}); }

  Result<Sent> send(ByteView message, const Outgoing& extent) override {
    WAGGLE_TRY(can_send(extent.id));
    if (mischief_.before_payload) {
      mischief_.before_payload();
    }
    Frame frame{{message.begin(), message.end()}, extent.id, std::vector<std::byte>(extent.id.length)};
    const ssize_t got =
        ::pread(extent.file, frame.payload.data(), frame.payload.size(), static_cast<off_t>(extent.id.offset));
    const auto valid = static_cast<std::uint64_t>(std::max<ssize_t>(got, 0));
    if (extent.digest != nullptr && mischief_.taps) {
      extent.digest->update(ByteView(frame.payload).first(valid));
    }
    if (mischief_.on_payload) {
      mischief_.on_payload(frame.payload);
    }
    WAGGLE_TRY(push(std::move(frame)));
    return Sent{valid, valid < extent.id.length ? fail(Fault::changed, "the file ended early") : Result<>()};
  }

  Result<> flush() override { return {}; }

  Result<> expect(const Incoming& incoming) override {
    WAGGLE_TRY(can_expect(incoming));
    expected_.push_back(incoming);
    return {};
  }

  void cancel(const ExtentId& id) override {
    const auto found = std::find_if(expected_.rbegin(), expected_.rend(), [&](const Incoming& incoming) {
      return incoming.id.handle == id.handle && incoming.id.offset == id.offset;
    });
    if (found != expected_.rend()) {
      expected_.erase(std::next(found).base());
    }
  }

  void end_receiving() noexcept override { expected_.clear(); }

  Result<Event> next(std::chrono::nanoseconds timeout) override {
    if (current_.announced) {
      return take_extent();
    }
    std::unique_lock lock(in_->mutex);
    const auto ready = [&] { return !in_->frames.empty() || in_->closed || in_->aborted; };
    if (timeout.count() < 0) {
      in_->changed.wait(lock, ready);
    } else if (!in_->changed.wait_for(lock, timeout, ready)) {
      return Event{};
    }
    if (in_->aborted) {
      return fail(Fault::cancelled, "the channel was aborted");
    }
    Event event;
    if (in_->frames.empty()) {
      event.kind = Event::Kind::closed;
      return event;
    }
    current_ = std::move(in_->frames.front());
    in_->frames.pop_front();
    event.kind = Event::Kind::message;
    event.message = current_.message;
    event.announces = current_.announced.has_value();
    event.announced = current_.announced.value_or(ExtentId{});
    return event;
  }

  void abort() noexcept override {
    const std::lock_guard lock(in_->mutex);
    in_->aborted = true;
    in_->changed.notify_all();
  }

 private:
  Result<> push(Frame frame) {
    if (frame.message.size() > kMaxMessage) {
      return fail(Fault::usage, "the message is too long");
    }
    if (mischief_.on_message && !mischief_.on_message(frame.message)) {
      return {};
    }
    const std::lock_guard lock(out_->mutex);
    if (out_->closed) {
      return fail(Fault::peer_gone, "the peer has closed");
    }
    ++messages_;
    out_->frames.push_back(std::move(frame));
    out_->changed.notify_all();
    return {};
  }

  Result<Event> take_extent() {
    const ExtentId id = *current_.announced;
    current_.announced.reset();
    const auto found = std::find_if(expected_.begin(), expected_.end(), [&](const Incoming& incoming) {
      return incoming.id.handle == id.handle && incoming.id.offset == id.offset && id.length <= incoming.id.length;
    });
    if (found == expected_.end()) {
      return fail(Fault::protocol, "payload arrived that nobody expects");
    }
    const Incoming incoming = std::move(*found);
    expected_.erase(found);
    Event event;
    event.kind = Event::Kind::extent;
    event.arrival.id = id;
    if (incoming.sink == Incoming::Sink::view) {
      event.arrival.view = current_.payload;
      return event;
    }
    if (incoming.digest != nullptr) {
      incoming.digest->update(current_.payload);
    }
    event.arrival.sink = put(incoming);
    return event;
  }

  Result<> put(const Incoming& incoming) const {
    if (mischief_.on_sink) {
      WAGGLE_TRY(mischief_.on_sink(incoming));
    }
    if (incoming.sink == Incoming::Sink::file &&
        ::pwrite(incoming.file.get(), current_.payload.data(), current_.payload.size(),
                 static_cast<off_t>(incoming.id.offset)) != static_cast<ssize_t>(current_.payload.size())) {
      return fail_errno("cannot write");
    }
    return {};
  }

  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  Mischief mischief_;
  Frame current_;
  std::vector<Incoming> expected_;
  std::uint64_t messages_ = 0;
};

class MemoryListenerImpl final : public MemoryListener {
 public:
  Endpoint endpoint() const override { return {"memory", 1}; }

  Result<std::unique_ptr<Channel>> accept() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return aborted_ || !waiting_.empty(); });
    if (aborted_) {
      return fail(Fault::cancelled, "the listener was aborted");
    }
    auto channel = std::move(waiting_.front());
    waiting_.pop_front();
    return channel;
  }

  Result<Admitted> accept(const Gate& gate) override {
    for (;;) {
      WAGGLE_LET(channel, accept());
      WAGGLE_LET(admitted, admit(std::move(channel), gate));
      if (admitted) {
        return std::move(*admitted);
      }
    }
  }

  void abort() noexcept override {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    changed_.notify_all();
  }

  std::unique_ptr<Channel> connect() override {
    auto pair = make_memory_pair();
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(pair.server));
    changed_.notify_all();
    return std::move(pair.client);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Channel>> waiting_;
  bool aborted_ = false;
};

}  // namespace

MemoryPair make_memory_pair(Mischief client, Mischief server) {
  auto up = std::make_shared<Pipe>();
  auto down = std::make_shared<Pipe>();
  return {std::make_unique<MemoryChannel>(down, up, std::move(client)),
          std::make_unique<MemoryChannel>(up, down, std::move(server))};
}

std::unique_ptr<MemoryListener> make_memory_listener() {
  return std::make_unique<MemoryListenerImpl>();
}

}  // namespace waggle::protocol::testing
