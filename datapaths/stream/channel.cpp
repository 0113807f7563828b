// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/channel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "datapaths/stream/tcp.hpp"

namespace waggle::stream {
namespace {

/// Longest extent in bytes that is batched with messages on its way out.
constexpr std::uint64_t kBatched = 16 * 1024;
/// How long a peer may take to read last words and close.
constexpr std::chrono::seconds kCloseLinger{1};

bool is_large(const Incoming& incoming) {
  return incoming.sink != Incoming::Sink::view && incoming.id.length > kMaxView;
}

/// Nobody wants to know what it was: no mover needs to touch it.
bool drops_unseen(const Incoming& incoming) {
  return incoming.sink == Incoming::Sink::discard && incoming.digest == nullptr;
}

Error broken_off(Error error, std::string_view what, std::uint64_t done, std::uint64_t length) {
  error.what = fmt::format("{} after {} of {} bytes of {}", error.what, done, length, what);
  return error;
}

}  // namespace

StreamChannel::StreamChannel(Socket socket, MoverInUse sender, MoverInUse receiver, Facts facts, const Opening& opening)
    : socket_(std::move(socket)),
      sender_(std::move(sender)),
      receiver_(std::move(receiver)),
      facts_(std::move(facts)),
      lingers_(opening.lingers) {
  std::ranges::copy(opening.ahead, input_.space(opening.ahead.size()).begin());
  input_.grow(opening.ahead.size());
}

StreamChannel::~StreamChannel() {
  if (lingers_ && !peer_closed_ && !sending_broken_) {
    socket_.linger(kCloseLinger);
  }
}

Facts StreamChannel::facts() const {
  Facts facts = facts_;
  facts.modes = read_again(std::move(facts.modes), socket_.fd());
  for (const auto* end : {&sender_, &receiver_}) {
    for (auto& mode : end->mover->modes()) {
      mode.name = fmt::format("{}.{}", end->info->name, mode.name);
      if (std::ranges::find(facts.modes, mode.name, &Mode::name) == facts.modes.end()) {
        facts.modes.push_back(std::move(mode));
      }
    }
  }
  return facts;
}

Counters StreamChannel::counters() const {
  Counters all{{"batched_bytes", batched_bytes_}, {"read_ahead_bytes", read_ahead_bytes_}};
  for (const auto* end : {&sender_, &receiver_}) {
    for (const auto& [name, count] : end->mover->counters()) {
      all[name] += count;
    }
  }
  return all;
}

std::unexpected<Error> StreamChannel::receiving_breaks(Error error) {
  receiving_broken_ = error;
  // A peer that sent nonsense, or stopped in the middle, may still read why nobody listens to it any more.
  socket_.finish_out();
  if (!sending_broken_ && error.fault != Fault::protocol && error.fault != Fault::timeout) {
    sending_broken_ = error;
  }
  return std::unexpected(std::move(error));
}

std::unexpected<Error> StreamChannel::sending_breaks(Error error) {
  sending_broken_ = error;
  return std::unexpected(std::move(error));
}

Result<> StreamChannel::usable_for_sending() const {
  if (sending_broken_) {
    return std::unexpected(*sending_broken_);
  }
  return socket_.aborted() ? fail(Fault::cancelled, "the connection was ended from this side") : Result<>();
}

Result<> StreamChannel::flush_with(int flags) {
  WAGGLE_TRY(usable_for_sending());
  if (!output_.empty()) {
    socket_.begin_out();
    if (auto sent = socket_.send(output_.bytes(), flags); !sent) {
      return sending_breaks(std::move(sent).error());
    }
    output_.clear();
  }
  return {};
}

Result<> StreamChannel::flush() {
  return flush_with(0);
}

Result<> StreamChannel::flush_if_possible() {
  return sending_broken_ ? Result<>() : flush_with(0);
}

Result<> StreamChannel::queue(const FrameHeader& header, ByteView message) {
  WAGGLE_TRY(usable_for_sending());
  if (message.size() > kMaxMessage) {
    return fail(Fault::usage, fmt::format("a message of {} bytes is too long", message.size()));
  }
  if (output_.room() < kFrameHeader + message.size()) {
    WAGGLE_TRY(flush_with(MSG_MORE));
  }
  output_.append(encode(header));
  if (message.size() <= output_.room()) {
    output_.append(message);
    return {};
  }
  WAGGLE_TRY(flush_with(MSG_MORE));
  socket_.begin_out();
  if (auto sent = socket_.send(message); !sent) {
    return sending_breaks(std::move(sent).error());
  }
  return {};
}

Result<> StreamChannel::send(ByteView message) {
  return queue({static_cast<std::uint32_t>(message.size()), false, {}}, message);
}

Result<Sent> StreamChannel::send(ByteView message, const Outgoing& extent) {
  const std::uint64_t length = extent.id.length;
  WAGGLE_TRY(can_send(extent.id));
  WAGGLE_TRY(queue({static_cast<std::uint32_t>(message.size()), true, extent.id}, message));
  if (length == 0) {
    return Sent{};
  }
  if (length <= kBatched && sender_.info->through_memory) {
    return send_batched(extent);
  }
  return send_moved(extent);
}

Result<Sent> StreamChannel::send_batched(const Outgoing& extent) {
  const auto length = static_cast<std::size_t>(extent.id.length);
  if (output_.room() < length) {
    WAGGLE_TRY(flush_with(MSG_MORE));
  }
  const ByteSpan bytes = output_.claim(length);
  auto got = read_file(extent.file, bytes, extent.id.offset);
  const std::size_t valid = got.value_or(0);
  std::ranges::fill(bytes.subspan(valid), std::byte{0});
  if (extent.digest != nullptr) {
    extent.digest->update(bytes.first(valid));
  }
  batched_bytes_ += valid;
  if (valid == length) {
    return Sent{valid, {}};
  }
  return Sent{valid, got ? fail(Fault::changed, fmt::format("the file ended after {} of {} bytes", valid, length))
                         : std::unexpected(std::move(got).error())};
}

Result<Sent> StreamChannel::send_moved(const Outgoing& extent) {
  const std::uint64_t length = extent.id.length;
  WAGGLE_TRY(flush_with(MSG_MORE));
  const std::uint64_t start = socket_.sent();
  socket_.begin_out();
  auto moved = sender_.mover->send(socket_, extent);
  const std::uint64_t out = socket_.sent() - start;
  if (socket_.broken() || out > length) {
    Error error = moved ? Error{Fault::io, "a mover sent more than its extent", {}, 0} : std::move(moved).error();
    return sending_breaks(broken_off(std::move(error), "an extent sent", out, length));
  }
  if (auto filled = socket_.send_zeros(length - out); !filled) {
    return sending_breaks(broken_off(std::move(filled).error(), "an extent sent", socket_.sent() - start, length));
  }
  const std::uint64_t valid = moved.value_or(out);
  if (valid == length) {
    return Sent{valid, {}};
  }
  return Sent{valid, moved ? fail(Fault::changed, fmt::format("the file ended after {} of {} bytes", valid, length))
                           : std::unexpected(std::move(moved).error())};
}

Result<> StreamChannel::expect(const Incoming& incoming) {
  WAGGLE_TRY(can_expect(incoming));
  if (incoming.sink == Incoming::Sink::discard && incoming.digest != nullptr && !receiver_.info->discards) {
    return fail(Fault::usage, fmt::format("{} cannot receive into nothing", receiver_.info->name),
                "choose another --receiver, or a file as the sink");
  }
  if (ended_) {
    return fail(Fault::cancelled, "receiving has ended");
  }
  large_expected_ += is_large(incoming) ? 1 : 0;
  expected_.push_back(incoming);
  return {};
}

void StreamChannel::cancel(const ExtentId& id) {
  const auto found = std::ranges::find_if(expected_.rbegin(), expected_.rend(), [&](const Incoming& incoming) {
    return incoming.id.handle == id.handle && incoming.id.offset == id.offset;
  });
  if (found != expected_.rend()) {
    large_expected_ -= is_large(*found) ? 1 : 0;
    expected_.erase(std::next(found).base());
  }
}

void StreamChannel::end_receiving() noexcept {
  ended_ = true;
  socket_.finish_out();
  expected_.clear();
  large_expected_ = 0;
}

Result<Incoming> StreamChannel::match(const ExtentId& id) {
  if (ended_) {
    return Incoming{.id = id};
  }
  const auto found = std::ranges::find_if(expected_, [&](const Incoming& incoming) {
    return incoming.id.handle == id.handle && incoming.id.offset == id.offset;
  });
  if (found == expected_.end() || found->id.length < id.length) {
    return fail(Fault::protocol, fmt::format("an extent that nobody expects has come: handle {}, offset {}, {} bytes",
                                             id.handle, id.offset, id.length));
  }
  Incoming incoming = std::move(*found);
  large_expected_ -= is_large(incoming) ? 1 : 0;
  expected_.erase(found);
  incoming.id.length = id.length;
  return incoming;
}

bool StreamChannel::reads_ahead() const {
  return receiver_.info->through_memory || (large_expected_ == 0 && since_large_ >= kLargeForgotten);
}

Result<> StreamChannel::need(std::size_t total) {
  while (input_.size() < total) {
    WAGGLE_TRY(flush_if_possible());
    ByteSpan space = input_.space(total);
    if (!reads_ahead()) {
      space = space.first(total - input_.size());
    }
    auto got = socket_.receive(space);
    if (!got) {
      return receiving_breaks(broken_off(std::move(got).error(), "a frame", input_.size(), total));
    }
    input_.grow(*got);
  }
  return {};
}

Result<bool> StreamChannel::await_frame(std::chrono::nanoseconds timeout) {
  if (input_.size() == 0) {
    WAGGLE_TRY(flush_if_possible());
    const ByteSpan space = input_.space(kFrameHeader);
    auto got = socket_.receive_idle(reads_ahead() ? space : space.first(kFrameHeader), timeout);
    if (!got) {
      return receiving_breaks(std::move(got).error());
    }
    if (!got->has_value()) {
      return false;
    }
    if (**got == 0) {
      return true;
    }
    input_.grow(**got);
  } else {
    socket_.begin_in();
  }
  WAGGLE_TRY(need(kFrameHeader));
  return true;
}

Result<Event> StreamChannel::next(std::chrono::nanoseconds timeout) {
  if (receiving_broken_) {
    return std::unexpected(*receiving_broken_);
  }
  if (socket_.aborted()) {
    return receiving_breaks(socket_.closed().error());
  }
  if (announced_) {
    const ExtentId id = *announced_;
    announced_.reset();
    auto extent = take_extent(id);
    return extent ? std::move(extent) : receiving_breaks(std::move(extent).error());
  }
  WAGGLE_LET(arrived, await_frame(timeout));
  if (!arrived) {
    return Event{};
  }
  if (input_.size() == 0) {
    peer_closed_ = true;
    Event event;
    event.kind = Event::Kind::closed;
    return event;
  }
  return take_message();
}

Result<Event> StreamChannel::take_message() {
  auto header = decode(input_.bytes().first<kFrameHeader>());
  if (!header) {
    return receiving_breaks(std::move(header).error());
  }
  WAGGLE_TRY(need(kFrameHeader + header->message));
  input_.consume(kFrameHeader);
  Event event;
  event.kind = Event::Kind::message;
  event.message = input_.consume(header->message);
  event.announces = header->announces;
  event.announced = header->extent;
  if (header->announces) {
    announced_ = header->extent;
  } else if (since_large_ < kLargeForgotten) {
    ++since_large_;
  }
  return event;
}

Result<Event> StreamChannel::take_extent(const ExtentId& id) {
  WAGGLE_LET(incoming, match(id));
  socket_.begin_in();
  since_large_ = is_large(incoming) ? 0 : kLargeForgotten;
  WAGGLE_LET(arrival, incoming.sink == Incoming::Sink::view ? take_view(incoming) : take_payload(incoming));
  if (ended_) {
    arrival.sink = fail(Fault::cancelled, "receiving has ended");
  }
  Event event;
  event.kind = Event::Kind::extent;
  event.arrival = std::move(arrival);
  return event;
}

Result<Arrival> StreamChannel::take_view(const Incoming& incoming) {
  WAGGLE_TRY(need(incoming.id.length));
  return Arrival{incoming.id, {}, input_.consume(incoming.id.length)};
}

Result<> StreamChannel::deliver(const Incoming& incoming, ByteView bytes) const {
  if (bytes.empty() || drops_unseen(incoming)) {
    return {};
  }
  incoming.digest->update(bytes);
  if (incoming.sink == Incoming::Sink::file) {
    WAGGLE_TRY(write_file(incoming.file.get(), bytes, incoming.id.offset));
  }
  return {};
}

Result<Arrival> StreamChannel::take_payload(const Incoming& incoming) {
  const std::uint64_t length = incoming.id.length;
  if (length <= kMaxView && reads_ahead()) {
    WAGGLE_TRY(need(length));
  }
  const auto ahead = static_cast<std::size_t>(std::min<std::uint64_t>(length, input_.size()));
  read_ahead_bytes_ += ahead;
  Arrival arrival{incoming.id, deliver(incoming, input_.consume(ahead)), {}};
  if (ahead == length) {
    return arrival;
  }
  WAGGLE_TRY(flush_if_possible());
  const std::uint64_t start = socket_.received();
  const bool moves = arrival.sink && !drops_unseen(incoming);
  if (moves) {
    arrival.sink = receiver_.mover->receive(socket_, incoming, ahead);
  }
  const std::uint64_t taken = ahead + socket_.received() - start;
  if (socket_.broken() || taken > length) {
    Error error = arrival.sink ? Error{Fault::io, "a mover took more than its extent", {}, 0} : arrival.sink.error();
    return std::unexpected(broken_off(std::move(error), "an extent", taken, length));
  }
  if (auto dropped = socket_.drop(length - taken); !dropped) {
    return std::unexpected(
        broken_off(std::move(dropped).error(), "an extent", ahead + socket_.received() - start, length));
  }
  if (arrival.sink && moves && taken < length) {
    arrival.sink = fail(Fault::io, "a mover took less than its extent");
  }
  return arrival;
}

}  // namespace waggle::stream
