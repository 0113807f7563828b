// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/channel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "datapaths/packet/message_frame.hpp"

namespace waggle::packet {
namespace {

/// What counts as progress, in bytes.
constexpr std::uint64_t kProgress = 4096;
/// Messages that nobody flushes leave when this much has come together, in bytes.
constexpr std::uint64_t kMostQueued = 64 * 1024;

Time deadline_after(std::chrono::nanoseconds timeout) {
  return timeout.count() < 0 ? kNever : now_ns() + static_cast<Time>(timeout.count());
}

}  // namespace

PacketChannel::PacketChannel(std::shared_ptr<Driver> driver, Connection& connection, std::string name,
                             std::vector<Mode> modes, std::chrono::nanoseconds timeout)
    : driver_(std::move(driver)),
      connection_(&connection),
      name_(std::move(name)),
      modes_(std::move(modes)),
      timeout_(timeout),
      reports_port_(driver_->claim_port()) {
  waiter_.connection = connection_;
  const auto lock = driver_->lock();
  driver_->host().attach(connection, waiter_);
}

PacketChannel::~PacketChannel() {
  auto lock = driver_->lock();
  let_go();
  if (waiter_.aborted || connection_->state() == Connection::State::connecting) {
    connection_->abandon(now_ns(), CloseCode::failed);
  }
  driver_->host().forget(*connection_, now_ns());
  // Whatever happens here, nobody can be told.
  static_cast<void>(driver_->transmit(true));
  if (driver_.use_count() == 1) {
    driver_->linger(lock);
  }
}

Result<> PacketChannel::establish() {
  auto lock = driver_->lock();
  WAGGLE_TRY(
      driver_->until(lock, waiter_, kNever, [&] { return connection_->state() != Connection::State::connecting; }));
  return health();
}

/// How long may pass without progress.
Time PacketChannel::step() const {
  return timeout_.count() > 0 ? deadline_after(timeout_) : kNever;
}

Result<> PacketChannel::health() const {
  if (connection_->failure()) {
    return std::unexpected(*connection_->failure());
  }
  if (connection_->state() == Connection::State::closed) {
    return fail(Fault::peer_gone, "the connection is closed");
  }
  return {};
}

Facts PacketChannel::facts() const {
  const auto lock = driver_->lock();
  Facts facts{name_, name_, Carrier::packet, modes_};
  // A port may have been granted less since.
  for (Mode& now : static_cast<const Driver&>(*driver_).host().port().modes()) {
    if (const auto mode = std::ranges::find(facts.modes, now.name, &Mode::name); mode != facts.modes.end()) {
      mode->granted = std::move(now.granted);
    }
  }
  facts.modes.push_back({"packet", "largest", fmt::format("{} bytes", connection_->packet_size())});
  return facts;
}

Counters PacketChannel::counters() const {
  const Connection::Stats stats = connection_->stats();
  Counters counters{{"packets_sent", stats.packets_sent},       {"packets_received", stats.packets_received},
                    {"retransmissions", stats.retransmissions}, {"lost_packets", stats.lost_packets},
                    {"spurious_losses", stats.spurious_losses}, {"acks_sent", stats.acks_sent},
                    {"acks_received", stats.acks_received},     {"duplicates", stats.duplicates},
                    {"refused_packets", stats.refused_packets}, {"staging_full", stats.staging_full},
                    {"probe_timeouts", stats.probe_timeouts},   {"window_limited", stats.window_limited},
                    {"peer_limited", stats.peer_limited},       {"pacing_limited", stats.pacing_limited},
                    {"mtu_probes", stats.mtu_probes},           {"persistent_congestion", stats.persistent_congestion}};
  if (reports_port_) {
    const Host& host = static_cast<const Driver&>(*driver_).host();
    for (auto& [name, count] : host.port().counters()) {
      counters[name] += count;
    }
    const Host::Stats& own = host.stats();
    counters["bad_packets"] += own.bad_packets;
    counters["strange_connections"] += own.strange_connections;
    counters["strange_addresses"] += own.strange_addresses;
    counters["tx_stalls"] += own.tx_stalls;
    counters["read_back_bytes"] += own.read_back;
    counters["empty_poll_ns"] += static_cast<const Driver&>(*driver_).idle_ns();
  }
  return counters;
}

Result<> PacketChannel::queue(Driver::Lock& lock, ByteView message, const ExtentId* extent) {
  if (message.size() > kMaxMessage) {
    return fail(Fault::usage, fmt::format("a message of {} bytes is too long", message.size()));
  }
  const std::size_t size = MessageFrame::room(message, extent);
  MessageSender& stream = connection_->messages_out();
  WAGGLE_TRY(health());
  if (stream.room() < size) {
    driver_->host().wake(*connection_);
    WAGGLE_TRY(driver_->until(lock, waiter_, kNever, [&] { return stream.room() >= size || !hears(); }));
    WAGGLE_TRY(stream.room() >= size ? health() : hears());
  }
  MessageFrame::write(stream, message, extent);
  return {};
}

Result<> PacketChannel::send(ByteView message) {
  auto lock = driver_->lock();
  WAGGLE_TRY(queue(lock, message, nullptr));
  driver_->host().wake(*connection_);
  if (kMessageWindow - connection_->messages_out().room() >= kMostQueued) {
    return driver_->transmit(true);
  }
  return {};
}

Result<> PacketChannel::hears() const {
  WAGGLE_TRY(health());
  return connection_->peer_closed() ? fail(Fault::peer_gone, "the peer has closed the connection") : Result<>();
}

Result<Sent> PacketChannel::send(ByteView message, const Outgoing& outgoing) {
  WAGGLE_TRY(can_send(outgoing.id));
  Result<SharedFd> file;
  if (outgoing.id.length > 0) {
    const FileReader::Way way = static_cast<const Driver&>(*driver_).host().options().read;
    file = FileReader::own(outgoing, way);
  }
  auto lock = driver_->lock();
  WAGGLE_TRY(queue(lock, message, &outgoing.id));
  Outbound& extent = connection_->offer(outgoing.id, file ? std::move(*file) : SharedFd(), outgoing.digest);
  if (!file) {
    // What was announced is sent, as zeros, so that the peer can be told why.
    extent.cut_at(0);
    extent.source_failed(file.error());
  }
  driver_->host().wake(*connection_);
  const auto gone = [&] { return extent.sent() || !hears(); };
  // What fits the window needs no look at what comes in, and waits for more to make a burst.
  auto sent = driver_->transmit(false);
  if (sent && !gone()) {
    auto waited = driver_->until(lock, waiter_, kNever, gone);
    if (!waited) {
      sent = std::unexpected(std::move(waited).error());
    }
  }
  extent.release_digest();
  WAGGLE_TRY(sent);
  WAGGLE_TRY(extent.sent() ? health() : hears());
  const std::uint64_t valid = std::min(extent.valid(), outgoing.id.length);
  if (valid < outgoing.id.length && extent.source()) {
    return Sent{valid,
                fail(Fault::changed, fmt::format("the file ended after {} of {} bytes", valid, outgoing.id.length))};
  }
  return Sent{valid, extent.source()};
}

Result<> PacketChannel::flush() {
  auto lock = driver_->lock();
  driver_->host().wake(*connection_);
  WAGGLE_TRY(driver_->transmit(true));
  MessageSender& stream = connection_->messages_out();
  WAGGLE_TRY(driver_->until(lock, waiter_, kNever, [&] { return stream.all_sent() || !hears(); }));
  return stream.all_sent() ? health() : hears();
}

Result<> PacketChannel::expect(const Incoming& incoming) {
  WAGGLE_TRY(can_expect(incoming));
  auto lock = driver_->lock();
  if (!receiving_) {
    return fail(Fault::cancelled, "receiving has ended");
  }
  connection_->expect(incoming);
  return {};
}

void PacketChannel::cancel(const ExtentId& id) {
  auto lock = driver_->lock();
  connection_->cancel(id);
}

void PacketChannel::end_receiving() noexcept {
  auto lock = driver_->lock();
  receiving_ = false;
  if (awaited_) {
    awaited_->extent = nullptr;
  }
  shown_ = nullptr;
  connection_->end_receiving();
}

/// What the user was shown last may be used for something else now.
void PacketChannel::let_go() {
  if (held_ > 0) {
    connection_->messages_in().consume(held_);
    connection_->consumed(now_ns());
    held_ = 0;
  }
  if (shown_ != nullptr) {
    connection_->delivered(*shown_);
    shown_ = nullptr;
  }
}

bool PacketChannel::message_ready() const {
  MessageReceiver& stream = connection_->messages_in();
  const auto frame = MessageFrame::peek(stream);
  return frame && (!frame->sound() || stream.available() >= frame->header() + frame->size);
}

Result<Event> PacketChannel::take_message() {
  MessageReceiver& stream = connection_->messages_in();
  const auto frame = *MessageFrame::peek(stream);
  if (!frame.sound()) {
    connection_->abandon(now_ns(), CloseCode::protocol);
    return fail(Fault::protocol,
                "the peer sent a message that makes no sense, or announced an extent that no file has");
  }
  Event event{.kind = Event::Kind::message,
              .message = stream.view(frame.header(), frame.size),
              .announces = frame.extent.has_value(),
              .announced = frame.extent.value_or(ExtentId{}),
              .arrival = {}};
  if (frame.extent) {
    awaited_ = {announced_++, *frame.extent, nullptr};
  }
  held_ = frame.header() + frame.size;
  return event;
}

/// Bytes that the message at hand still lacks; 0 before it has begun.
std::uint64_t PacketChannel::missing() const {
  MessageReceiver& stream = connection_->messages_in();
  const std::uint64_t there = stream.available();
  const auto frame = MessageFrame::peek(stream);
  const std::uint64_t whole = frame ? frame->header() + frame->size : MessageFrame::kLong;
  return there == 0 ? 0 : whole - std::min(there, whole);
}

/// Bytes of the message stream that have come so far.
std::uint64_t PacketChannel::arrived() const {
  const MessageReceiver& stream = connection_->messages_in();
  return stream.read() + stream.available();
}

/// Inside messages and payload only progress counts as life: `came` bytes since `left` were missing.
Result<> PacketChannel::check_progress(std::uint64_t left, std::uint64_t came, std::string_view what) {
  if (came >= std::min(left, kProgress)) {
    return {};
  }
  connection_->blame(CloseCode::timeout);
  return fail(Fault::timeout, fmt::format("no progress for {:.1f} s in the middle of {}",
                                          std::chrono::duration<double>(timeout_).count(), what));
}

Result<Event> PacketChannel::await_extent(Driver::Lock& lock) {
  Announced& awaited = *awaited_;
  if (!receiving_) {
    // What comes of it is acknowledged and goes nowhere.
    Event event{.kind = Event::Kind::extent, .message = {}, .announces = false, .announced = {}, .arrival = {}};
    event.arrival = {awaited.id, fail(Fault::cancelled, "receiving has ended"), {}};
    awaited_.reset();
    return event;
  }
  if (awaited.extent == nullptr) {
    awaited.extent = connection_->announced(awaited.sequence, awaited.id);
    if (awaited.extent == nullptr) {
      return fail(Fault::protocol, fmt::format("an extent came that nobody expects: handle {} offset {} length {}",
                                               awaited.id.handle, awaited.id.offset, awaited.id.length));
    }
    driver_->host().place_staged(*connection_, *awaited.extent);
  }
  Inbound& extent = *awaited.extent;
  while (!extent.complete()) {
    const std::uint64_t left = extent.missing();
    WAGGLE_TRY(driver_->until(lock, waiter_, step(), [&] { return extent.complete() || !hears(); }));
    if (!extent.complete()) {
      WAGGLE_TRY(hears());
      WAGGLE_TRY(check_progress(left, left - extent.missing(), "an extent"));
    }
  }
  Event event{.kind = Event::Kind::extent, .message = {}, .announces = false, .announced = {}, .arrival = {}};
  event.arrival = {awaited.id, extent.sink(), {}};
  if (extent.incoming().digest != nullptr) {
    extent.incoming().digest->adopt(extent.digester());
  }
  if (extent.incoming().sink == Incoming::Sink::view) {
    event.arrival.view = extent.view().first(awaited.id.length);
  }
  shown_ = &extent;
  awaited_.reset();
  return event;
}

Result<Event> PacketChannel::next(std::chrono::nanoseconds timeout) {
  auto lock = driver_->lock();
  let_go();
  Host& host = driver_->host();
  host.wake(*connection_);
  if (awaited_) {
    return await_extent(lock);
  }
  if (message_ready()) {
    // Answers that are queued wait until there is nothing more to answer.
    return take_message();
  }
  const Time deadline = deadline_after(timeout);
  const auto done = [&] { return message_ready() || !health() || connection_->peer_closed(); };
  for (bool waiting = true; waiting;) {
    const std::uint64_t left = missing();
    const std::uint64_t before = arrived();
    const Time until = std::min(deadline, step());
    WAGGLE_LET(some, driver_->until(lock, waiter_, until, done));
    waiting = !some && until < deadline;
    if (waiting && left > 0) {
      WAGGLE_TRY(check_progress(left, arrived() - before, "a message"));
    }
  }
  if (message_ready()) {
    return take_message();
  }
  if (connection_->peer_closed() && !connection_->failure()) {
    return Event{.kind = Event::Kind::closed, .message = {}, .announces = false, .announced = {}, .arrival = {}};
  }
  WAGGLE_TRY(health());
  return Event{};
}

void PacketChannel::abort() noexcept {
  waiter_.aborted.store(true);
  driver_->interrupt();
}

}  // namespace waggle::packet
