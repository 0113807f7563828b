// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace waggle::packet {
namespace {

/// How long an end that closes waits for what it sent to be acknowledged.
constexpr Time kLinger = 2'000'000'000;
constexpr Time kCloseWait = 20'000'000;
constexpr std::uint32_t kMostCloses = 4;
/// What counts as progress, in bytes: less does not keep a connection alive.
constexpr std::uint64_t kProgress = 4096;

std::string dotted(const Peer& peer) {
  return fmt::format("{}.{}.{}.{}:{}", peer.ip >> 24, peer.ip >> 16 & 255, peer.ip >> 8 & 255, peer.ip & 255,
                     peer.port);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::create(const ConnectionOptions& options, Time now) {
  WAGGLE_LET(congestion, make_congestion(options.congestion, MtuSearch::kBase));
  return std::unique_ptr<Connection>(new Connection(options, std::move(congestion), now));
}

Connection::Connection(const ConnectionOptions& options, std::unique_ptr<CongestionControl> congestion, Time now)
    : options_(options),
      hello_at_(now),
      started_(now),
      last_received_(now),
      messages_in_(options.stranger ? kStrangerWindow : kMessageWindow),
      staging_(*options.staging),
      sent_(kMostUnderWay, kMostNumbers),
      last_sent_(now),
      congestion_(std::move(congestion)),
      mtu_(MtuSearch::kBase, MtuSearch::kBase),
      window_(congestion_->window()) {}

void Connection::accept(Time now, const Terms& terms) {
  set_terms(now, terms);
  accept_due_ = true;
}

void Connection::admit() {
  options_.stranger = false;
  messages_in_.widen();
  ack_now_ = true;
}

void Connection::set_terms(Time now, const Terms& terms) {
  state_ = State::established;
  packet_limit_ = terms.packet_limit;
  message_limit_ = terms.message_limit;
  advertised_ = messages_in_.limit();
  advertised_packets_ = options_.window;
  mtu_ = MtuSearch(MtuSearch::kBase, std::max(MtuSearch::kBase, std::min(options_.packet, terms.packet)));
  last_received_ = now;
}

void Connection::fail_with(Error error) {
  if (state_ != State::closed) {
    failure_ = std::move(error);
    state_ = State::closed;
  }
}

void Connection::on_retry(Time now, ByteView packet) {
  if (!options_.client || state_ != State::connecting || packet.size() != kHeader + RetryTokens::kSize) {
    return;
  }
  std::ranges::copy(packet.subspan(kHeader), token_.begin());
  has_token_ = true;
  hello_at_ = now;
}

void Connection::on_close(Time now, ByteView packet) {
  if (packet.size() < kClose) {
    return;
  }
  const auto code = static_cast<CloseCode>(load_be<std::uint16_t>(packet.data() + kHeader));
  const auto end = load_be<std::uint64_t>(packet.data() + kHeader + 2);
  if (state_ == State::closing || state_ == State::closed) {
    // Both close: the peer waits for a CLOSE, too.
    close_due_ = state_ == State::closing && closes_sent_ == 0 && code == CloseCode::done;
    close_answered_ = !close_due_;
    close_at_ = now;
    closes_sent_ = kMostCloses - 1;
    state_ = State::closed;
    return;
  }
  if (code == CloseCode::done && state_ == State::established) {
    peer_closed_ = true;
    close_due_ = true;  // says that it was heard
    close_at_ = now;
    if (messages_in_.read() + messages_in_.available() < end) {
      fail_with({Fault::peer_gone,
                 fmt::format("{} closed the connection before all it sent had arrived", dotted(peer())),
                 {}});
    }
    return;
  }
  const Fault fault = code == CloseCode::busy                                     ? Fault::busy
                      : code == CloseCode::timeout                                ? Fault::timeout
                      : code == CloseCode::version || code == CloseCode::protocol ? Fault::protocol
                                                                                  : Fault::peer_gone;
  close_answered_ = true;
  fail_with({fault, fmt::format("{}: {}", dotted(peer()), describe(code)), {}});
}

Time Connection::probe_at() const {
  if (under_way_ == 0 || loss_at_ != kNever) {
    return kNever;
  }
  // Backoff is capped: a path that was dead for long is found again within a second.
  const Time wait = std::min<Time>(rtt_.pto(kAckDelay) << std::min(timeouts_, 10U),
                                   std::max<Time>(1'000'000'000, rtt_.pto(kAckDelay)));
  return last_elicited_ + wait;
}

void Connection::on_timer(Time now) {
  if (state_ == State::closed) {
    return;
  }
  if (now >= (state_ == State::connecting ? started_ : last_received_) + options_.timeout) {
    const bool connecting = state_ == State::connecting;
    fail_with({Fault::timeout,
               connecting ? fmt::format("cannot connect to {}: no answer for {:.1f} s", dotted(peer()),
                                        static_cast<double>(options_.timeout) / 1e9)
                          : fmt::format("{} has vanished: not a packet from it for {:.1f} s", dotted(peer()),
                                        static_cast<double>(options_.timeout) / 1e9),
               connecting ? "start the server with the same datapath family, or check address and port" : ""});
    return;
  }
  if (state_ == State::connecting) {
    return;
  }
  if (stall_at_ <= now) {
    watch_progress(now);
    if (stall_at_ <= now) {
      abandon(now, CloseCode::timeout);
      failure_ = {Fault::timeout,
                  fmt::format("{} has not taken what was sent to it for {:.1f} s", dotted(peer()),
                              static_cast<double>(options_.patience) / 1e9),
                  {}};
      return;
    }
  }
  if (state_ == State::closing && now >= close_limit_) {
    close_due_ = true;
    close_limit_ = kNever;
    close_at_ = now;
  }
  if (loss_at_ <= now) {
    detect_losses(now);
    refresh(now);
  } else if (probe_at() <= now && probes_ == 0) {
    ++timeouts_;
    ++stats_.probe_timeouts;
    probes_ = timeouts_ > 1 ? 2 : 1;
    last_elicited_ = now;
    if (timeouts_ >= 3) {
      leave_black_hole(now);
    }
  }
  if (now >= std::max(last_received_, last_sent_) + options_.timeout / 5) {
    ping_due_ = true;
  }
}

Connection::Held Connection::held() const {
  Held held{.numbers = static_cast<std::size_t>(sent_.next() - sent_.oldest()),
            .outbound = outbound_.size(),
            .pieces = pieces_,
            .messages = messages_in_.pieces() + messages_out_.pieces(),
            .received = received_.ranges(),
            .staged = staging_.held()};
  for (const Outbound& extent : outbound_) {
    held.lost += extent.lost.size();
  }
  return held;
}

Time Connection::deadline() const {
  if (state_ == State::closed) {
    return close_due_ ? close_at_ : kNever;
  }
  if (sent_.exhausted() && state_ != State::connecting) {
    return std::min(
        {loss_at_, close_limit_, stall_at_, close_due_ ? close_at_ : kNever, last_received_ + options_.timeout});
  }
  if (state_ == State::connecting) {
    return std::min(hello_at_, started_ + options_.timeout);
  }
  if (close_due_) {
    // Nothing else is said before CLOSE: what is due besides must not have the host called again and again.
    return std::min(close_at_, last_received_ + options_.timeout);
  }
  Time at = std::min({ack_at_, loss_at_, pace_at_, close_limit_, stall_at_, probe_at()});
  if (may_probe()) {
    at = std::min(at, mtu_.due());
  }
  return std::min({at, std::max(last_received_, last_sent_) + options_.timeout / 5, last_received_ + options_.timeout});
}

/// Bytes that the peer has yet to take, or some of them.
std::uint64_t Connection::owed() const {
  std::uint64_t bytes = messages_out_.written() - messages_out_.acknowledged();
  if (!outbound_.empty() && !outbound_.front().over()) {
    const Outbound& extent = outbound_.front();
    bytes += std::max<std::uint64_t>(1, extent.id.length - std::min(extent.acknowledged, extent.id.length));
  }
  return bytes;
}

/// However alive a peer looks, it does not hold us for ever by taking nothing.
void Connection::watch_progress(Time now) {
  const std::uint64_t left = owed();
  if (left == 0 || options_.patience == 0) {
    stall_at_ = kNever;
  } else if (stall_at_ == kNever || progress_ >= progress_due_) {
    progress_due_ = progress_ + std::min(left, kProgress);
    stall_at_ = now + options_.patience;
  }
}

Outbound& Connection::offer(const ExtentId& id, SharedFd file, ExtentDigester* digest) {
  Outbound& extent = outbound_.emplace_back();
  static std::atomic<std::uint64_t> serials{0};
  extent.id = id;
  extent.sequence = next_outbound_++;
  extent.serial = ++serials;
  extent.file = std::move(file);
  extent.digest = digest;
  tidy_outbound();
  return extent;
}

Outbound* Connection::outbound(std::uint32_t sequence) {
  const std::uint32_t index = sequence - first_outbound_;
  return index < outbound_.size() ? &outbound_[index] : nullptr;
}

void Connection::tidy_outbound() {
  while (cursor_ != next_outbound_ && outbound_[cursor_ - first_outbound_].sent()) {
    ++cursor_;
  }
  // The latest stays where it is: its offerer may still look at it.
  while (outbound_.size() > 1 && outbound_.front().over()) {
    outbound_.pop_front();
    ++first_outbound_;
  }
  if (outbound_.size() == 1 && outbound_.front().over()) {
    outbound_.front().file.reset();
  }
}

void Connection::close(Time now) {
  if (state_ == State::connecting || state_ == State::closed || peer_closed_) {
    state_ = State::closed;
    return;
  }
  if (state_ == State::established) {
    state_ = State::closing;
    close_limit_ = now + kLinger;
  }
}

/// The peer does what no peer may do.
void Connection::break_off(Time now, std::string_view why) {
  if (state_ == State::closed) {
    return;
  }
  abandon(now, CloseCode::protocol);
  failure_ = Error{Fault::protocol, fmt::format("{} {}", dotted(peer()), why), {}};
}

void Connection::abandon(Time now, CloseCode code) {
  if (!failure_) {
    close_code_ = code;
  }
  if (state_ == State::established || state_ == State::closing) {
    state_ = State::closed;
    close_due_ = true;
    close_at_ = now;
    closes_sent_ = kMostCloses - 1;
  } else {
    state_ = State::closed;
  }
}

bool Connection::finished() const {
  return state_ == State::closed && !close_due_;
}

std::optional<Connection::Built> Connection::build_close(Time now, ByteSpan room) {
  if (state_ == State::closing && !close_due_ && messages_out_.all_acknowledged() && under_way_ == probing_ &&
      !more_data()) {
    close_due_ = true;
    close_at_ = now;
  }
  if (!close_due_ || now < close_at_) {
    return {};
  }
  if (close_answered_) {
    close_due_ = false;
    return {};
  }
  std::byte* at = room.data();
  store_be(at + kHeader, static_cast<std::uint16_t>(close_code_));
  store_be(at + kHeader + 2, messages_out_.written());
  ++closes_sent_;
  close_at_ = now + (kCloseWait << closes_sent_);
  if (peer_closed_ || closes_sent_ >= kMostCloses) {
    close_due_ = false;
    if (!peer_closed_) {
      state_ = State::closed;
    }
  }
  return build_control(now, room, Type::close, kClose);
}

}  // namespace waggle::packet
