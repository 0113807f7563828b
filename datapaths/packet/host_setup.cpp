// SPDX-License-Identifier: BSD-2-Clause
#include <openssl/rand.h>

#include <algorithm>

#include "datapaths/packet/host.hpp"

namespace waggle::packet {
namespace {

constexpr std::size_t kHelloTerms = kHeader;
constexpr std::size_t kHelloToken = kHeader + kTerms;

Result<std::uint64_t> random_number() {
  std::array<unsigned char, sizeof(std::uint64_t)> random{};
  if (::RAND_bytes(random.data(), random.size()) != 1) {
    return fail(Fault::io, "the system gives no random numbers");
  }
  return load_be<std::uint64_t>(std::as_bytes(std::span(random)).data());
}

}  // namespace

ConnectionOptions Host::connection_options(std::uint64_t id, const Peer& peer, bool client) {
  return {.client = client,
          .id = id,
          .peer = peer,
          .packet = capabilities_.packet,
          .window = options_.window,
          .alignment = options_.read == FileReader::Way::direct ? 512U : 1U,
          .congestion = options_.congestion,
          .timeout = options_.timeout,
          .patience = options_.patience,
          .stranger = !client,
          .staging = &staging_,
          .seed = options_.seed != 0 ? options_.seed : random_number().value_or(id)};
}

Result<Connection*> Host::connect(const Peer& server, Time now, Time patience) {
  std::uint64_t id = 0;
  do {
    WAGGLE_LET(random, random_number());
    id = random;
  } while (connections_.contains(id));
  ConnectionOptions options = connection_options(id, server, true);
  options.patience = patience;
  WAGGLE_LET(connection, Connection::create(options, now));
  Connection* made = connection.get();
  add(id, std::move(connection));
  ++users_;
  return made;
}

Connection* Host::accepted() {
  Strangers::Stranger* const next = strangers_.oldest();
  return next == nullptr ? nullptr : &admit(*next);
}

Connection& Host::admit(Strangers::Stranger& stranger) {
  Connection& connection = *stranger.connection;
  Entry& entry = connections_.at(connection.id());
  strangers_.remove(stranger);
  entry.stranger = nullptr;
  connection.admit();
  make_ready(entry);
  ++users_;
  return connection;
}

void Host::turn_away(Strangers::Stranger& stranger, Time now) {
  stranger.connection->close(now);
  leave(connections_.at(stranger.connection->id()));
  strangers_.turn_away(stranger);
}

void Host::make_room(Time now) {
  Strangers::Stranger& stranger = strangers_.least_missed();
  Entry& entry = connections_.at(stranger.connection->id());
  stranger.connection->abandon(now, CloseCode::busy);
  leave(entry);
  strangers_.remove(stranger);
  entry.stranger = nullptr;
}

void Host::stop_listening(Time now) {
  options_.listens = false;
  while (strangers_.size() > 0) {
    make_room(now);
  }
}

/// A packet of no connection that is known here.
void Host::on_stranger(Time now, const Header& header, const RxFrame& frame) {
  if (header.type == Type::hello) {
    on_hello(now, header, frame);
    return;
  }
  ++stats_.strange_connections;
  if (header.type == Type::close || header.type == Type::retry || header.type == Type::accept ||
      frame.length < kClose) {
    return;
  }
  // Whoever still speaks to a connection that has ended learns it now and not by silence. Never longer than what caused
  // it: the address may be another one's.
  const auto closed = std::ranges::find(closed_, header.connection, &Closed::id);
  const CloseCode code = closed != closed_.end() ? closed->code : CloseCode::unknown_connection;
  std::array<std::byte, 10> body{};
  store_be(body.data(), static_cast<std::uint16_t>(code));
  reply(header, Type::close, frame, body);
}

/// Without a valid token nothing is remembered of the client (RFC 9000, 8.1).
void Host::on_hello(Time now, const Header& header, const RxFrame& frame) {
  const ByteView packet(frame.packet, frame.length);
  if (!options_.listens || packet.size() < MtuSearch::kBase) {
    ++stats_.bad_packets;
    return;
  }
  const auto token_size = load_be<std::uint16_t>(packet.data() + kHelloToken);
  const ByteView token = packet.subspan(kHelloToken + 2, std::min<std::size_t>(token_size, RetryTokens::kSize));
  if (token_size != RetryTokens::kSize || !tokens_.valid(token, frame.from, header.connection, now)) {
    reply(header, Type::retry, frame, tokens_.make(frame.from, header.connection, now));
    return;
  }
  const Terms terms = read_terms(packet.data() + kHelloTerms);
  if (connections_.size() - strangers_.size() >= options_.most_connections) {
    std::array<std::byte, 10> body{};
    store_be(body.data(), static_cast<std::uint16_t>(CloseCode::busy));
    reply(header, Type::close, frame, body);
    return;
  }
  auto connection = Connection::create(connection_options(header.connection, frame.from, false), now);
  if (!connection) {
    return;  // the congestion controller was checked when the host was made
  }
  (*connection)->accept(now, terms);
  Entry& entry = add(header.connection, *std::move(connection));
  entry.stranger = &strangers_.add(*entry.connection, now);
  while (strangers_.size() > options_.most_strangers) {
    make_room(now);
  }
}

/// A packet without state: one frame, or none when there is none to spare.
void Host::reply(const Header& to, Type type, const RxFrame& frame, ByteView body) {
  TxFrame* out = built_ < options_.burst ? free_frame() : nullptr;
  if (out == nullptr) {
    return;
  }
  const std::size_t length = kHeader + body.size();
  write_header(out->packet, {type, 0, static_cast<std::uint16_t>(length), to.connection, 0, 0});
  std::ranges::copy(body, out->packet + kHeader);
  seal(ByteSpan(out->packet, length));
  out->length = static_cast<std::uint32_t>(length);
  out->to = frame.from;
  out_[built_++] = *out;
  ++leased_next_;
}

}  // namespace waggle::packet
