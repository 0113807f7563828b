// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <optional>
#include <vector>

#include "datapaths/packet/host.hpp"
#include "datapaths/packet/simulated/testing/virtual_network.hpp"

/// A whole host with one connection, as server or client, against a peer who knows the connection's id and says what
/// the fuzzer wants, when it wants, with right checksums; in virtual time. The application on the host expects, offers
/// and sends at the fuzzer's command, too. Nothing may crash, nothing be written where it was not offered, no memory
/// grow without bounds, and in the end the host must have forgotten all.
namespace {

using namespace waggle;
using namespace waggle::packet;
using packet::testing::VirtualNetwork;

constexpr Peer kVictim{.ip = 1, .port = 7000};
constexpr Peer kAttacker{.ip = 2, .port = 40000};
constexpr std::uint64_t kFile = 64 * 1024;
constexpr std::byte kUntouched{0xA5};
constexpr Time kSecond = 1'000'000'000;

void require(bool fine, const char* what) {
  if (!fine) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

class Input {
 public:
  explicit Input(ByteView bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  template <typename T>
  T number() {
    T value = 0;
    const std::size_t length = std::min(left_.size(), sizeof value);
    std::memcpy(&value, left_.data(), length);
    left_ = left_.subspan(length);
    return value;
  }
  ByteView bytes(std::size_t most) {
    const ByteView taken = left_.first(std::min(left_.size(), most));
    left_ = left_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView left_;
};

int source_file() {
  static const int file = [] {
    const int made = ::memfd_create("source", MFD_CLOEXEC);
    require(::ftruncate(made, kFile) == 0, "no memory file");
    return made;
  }();
  return file;
}

const SharedFd& sink_file() {
  static const SharedFd file(UniqueFd(::memfd_create("sink", MFD_CLOEXEC)));
  return file;
}

class Victim {
 public:
  explicit Victim(bool client) : client_(client), up_({}, 1), down_({}, 2) {
    static const std::vector<std::byte> blank(kFile, kUntouched);
    require(::pwrite(sink_file().get(), blank.data(), blank.size(), 0) == static_cast<ssize_t>(kFile), "no sink");
    require(::ftruncate(sink_file().get(), kFile) == 0, "no sink");
    HostOptions options;
    options.listens = !client;
    options.staging = 256 * 1024;
    options.seed = 1;
    host_ = std::make_unique<Host>(network_.open(kVictim, down_, {}), options);
    attacker_ = network_.open(kAttacker, up_, {.rx_capacity = 100'000, .tx_capacity = 64});
    network_.watch([this](const VirtualNetwork::Wire& wire) { see(wire); });
  }

  void shake_hands() {
    if (client_) {
      const auto made = host_->connect(kAttacker, network_.now());
      require(made.has_value(), "cannot connect");
      connection_ = *made;
      id_ = connection_->id();
      pump();
      write_terms(scratch_.data() + kHeader, terms());
      send(Type::accept, 0, 0, 0, kHeader + kTerms);
    } else {
      id_ = 0x1122334455667788;
      for (int round = 0; round < 2 && connection_ == nullptr; ++round) {
        std::fill_n(scratch_.data() + kHeader, MtuSearch::kBase - kHeader, std::byte{0});
        write_terms(scratch_.data() + kHeader, terms());
        store_be(scratch_.data() + kHeader + kTerms, static_cast<std::uint16_t>(token_ ? token_->size() : 0));
        if (token_) {
          std::ranges::copy(*token_, scratch_.begin() + kHeader + kTerms + 2);
        }
        send(Type::hello, 0, 0, 0, MtuSearch::kBase);
        connection_ = host_->accepted();
      }
      require(connection_ != nullptr, "a good token was refused");
    }
    require(connection_->state() == Connection::State::established, "no connection");
  }

  void step(Input& input);
  void finish();

 private:
  struct Expected {
    Incoming incoming;
    ExtentDigester digest{DigestKind::xxh3_128};
    Inbound* extent = nullptr;
  };

  static Terms terms() { return {9000, 1000, kMessageWindow}; }

  void see(const VirtualNetwork::Wire& wire) {
    if (!(wire.from == kVictim)) {
      return;
    }
    const auto header = read_header(wire.packet);
    require(header && intact(wire.packet), "the host sends what nobody can read");
    if (header->type == Type::retry) {
      token_.emplace();
      std::ranges::copy(wire.packet.subspan(kHeader, RetryTokens::kSize), token_->begin());
      return;
    }
    require(header->number == 0 || header->number > last_sent_, "packet numbers do not increase");
    last_sent_ = header->number;
  }

  void send(Type type, std::uint8_t flags, std::uint64_t number, std::uint32_t lag, std::size_t length) {
    write_header(scratch_.data(), {type, flags, static_cast<std::uint16_t>(length), id_, number, lag});
    seal(ByteSpan(scratch_).first(length));
    send_raw(ByteView(scratch_).first(length));
  }
  void send_raw(ByteView packet) {
    std::array<TxFrame, 1> frame;
    if (packet.empty() || attacker_->lease(frame) == 0) {
      return;
    }
    std::ranges::copy(packet, frame[0].packet);
    frame[0].length = static_cast<std::uint32_t>(packet.size());
    frame[0].to = kVictim;
    require(attacker_->send(frame).has_value(), "no port");
    network_.advance(network_.now());
    pump();
  }
  void pump() {
    for (int turns = 0; turns < 1000; ++turns) {
      const auto pumped = host_->pump(network_.now());
      require(pumped.has_value(), "the port died");
      network_.advance(network_.now());
      drain();
      if (!*pumped) {
        break;
      }
      require(turns < 999, "the host sends for ever");
    }
    if (connection_ != nullptr) {
      require(connection_->in_flight() < (std::uint64_t{1} << 32U), "more is in flight than was sent");
    }
    require(network_.frames_in_use() < 20'000, "frames pile up");
  }
  void drain() {
    std::array<RxFrame, kMostBurst> frames;
    while (const std::size_t count = attacker_->poll(frames).value_or(0)) {
      attacker_->release(std::span(frames).first(count));
    }
  }
  void pass(Time time) {
    const Time end = network_.now() + time;
    for (int steps = 0; steps < 200 && network_.now() < end; ++steps) {
      network_.advance(std::clamp(host_->deadline(), network_.now() + 1000, end));
      pump();
    }
  }
  void send_data(Input& input);
  void send_ack(Input& input);
  void expect(Input& input);
  void offer(Input& input);
  void consume();
  void let_go() {
    if (connection_ != nullptr) {
      host_->forget(*connection_, network_.now());
      connection_ = nullptr;
    }
  }

  bool client_;
  VirtualLink up_;
  VirtualLink down_;
  VirtualNetwork network_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Port> attacker_;
  Connection* connection_ = nullptr;
  std::uint64_t id_ = 0;
  std::optional<RetryTokens::Token> token_;
  std::uint64_t last_sent_ = 0;
  std::uint64_t number_ = 1;
  std::uint32_t announced_ = 0;
  std::list<Expected> expected_;
  std::vector<ExtentId> offered_;  // to the sink file, ever
  std::list<ExtentDigester> digests_;
  std::array<std::byte, 1472> scratch_{};
};

void Victim::send_data(Input& input) {
  const auto extent = input.number<std::uint8_t>();
  const auto handle = input.number<std::uint8_t>() % 4U;
  const auto offset = input.number<std::uint16_t>();
  const std::size_t length = input.number<std::uint16_t>() % (1472 - kDataHeader + 1);
  const auto flags = input.number<std::uint8_t>();
  write_data_header(scratch_.data(), {extent, handle, offset});
  std::fill_n(scratch_.data() + kDataHeader, length, std::byte{0x77});
  send(Type::data, flags, number_, flags % 16 == 3 ? static_cast<std::uint32_t>(number_ / 2) : 0, kDataHeader + length);
}

void Victim::send_ack(Input& input) {
  const std::uint64_t next = connection_ != nullptr ? connection_->next_number() : 0;
  AckBlock ack;
  // Once in a while beyond what was sent, which ends the connection.
  const auto back = input.number<std::uint8_t>();
  ack.largest = next - std::min<std::uint64_t>(next, back == 255 ? 0 : back + 1U);
  ack.floor = ack.largest - std::min<std::uint64_t>(ack.largest, input.number<std::uint8_t>());
  ack.packet_limit = next + input.number<std::uint16_t>();
  ack.message_limit = input.number<std::uint32_t>();
  ack.delay = input.number<std::uint16_t>();
  std::uint64_t below = ack.largest;
  for (auto count = input.number<std::uint8_t>() % 8; count > 0 && below > ack.floor + 2; --count) {
    const std::uint64_t last = below - 1 - input.number<std::uint8_t>() % (below - ack.floor - 1);
    const std::uint64_t first = last - std::min<std::uint64_t>(last - ack.floor, input.number<std::uint8_t>() % 8);
    ack.ranges[ack.count++] = {first, last};
    below = first;
    if (below == 0) {
      break;
    }
  }
  const std::size_t size = write_ack(ByteSpan(scratch_).subspan(kHeader), ack);
  send(Type::ack, 0, number_, 0, kHeader + size);
}

void Victim::expect(Input& input) {
  if (connection_ == nullptr || expected_.size() > 100) {
    return;
  }
  Expected& next = expected_.emplace_back();
  next.incoming.id = {input.number<std::uint8_t>() % 4U, input.number<std::uint16_t>() % kFile, 0};
  next.incoming.id.length = std::min<std::uint64_t>(input.number<std::uint16_t>(), kFile - next.incoming.id.offset);
  next.incoming.sink = static_cast<Incoming::Sink>(input.number<std::uint8_t>() % 3);
  next.incoming.file = sink_file();
  next.incoming.digest = &next.digest;
  if (next.incoming.sink == Incoming::Sink::file) {
    offered_.push_back(next.incoming.id);
  }
  connection_->expect(next.incoming);
}

void Victim::offer(Input& input) {
  if (connection_ == nullptr || connection_->messages_out().room() < 1000) {
    return;
  }
  ExtentDigester& digest = digests_.emplace_back(DigestKind::xxh3_128);
  const ExtentId id{input.number<std::uint8_t>(), 0, input.number<std::uint16_t>()};
  connection_->offer(id, SharedFd::duplicate(source_file()), &digest);
  host_->wake(*connection_);
}

/// Takes messages, each byte of which announces the oldest expectation that is not announced yet, and delivers what is
/// complete.
void Victim::consume() {
  if (connection_ == nullptr) {
    return;
  }
  MessageReceiver& stream = connection_->messages_in();
  for (std::uint64_t ready = stream.available(); ready > 0; --ready) {
    const auto next = std::ranges::find_if(expected_, [](const Expected& each) { return each.extent == nullptr; });
    if (next != expected_.end()) {
      next->extent = connection_->announced(announced_, next->incoming.id);
      if (next->extent != nullptr) {
        ++announced_;
        host_->place_staged(*connection_, *next->extent);
      }
    }
    static_cast<void>(stream.view(0, 1));
    stream.consume(1);
  }
  connection_->consumed(network_.now());
  host_->wake(*connection_);
  while (!expected_.empty() && expected_.front().extent != nullptr && expected_.front().extent->complete()) {
    connection_->delivered(*expected_.front().extent);
    expected_.pop_front();
  }
}

void Victim::step(Input& input) {
  const auto kind = input.number<std::uint8_t>();
  number_ += input.number<std::uint8_t>() % 8;
  switch (kind % 13) {
    case 0:
    case 1: send_data(input); break;
    case 2:
    case 3: send_ack(input); break;
    case 4: {
      const ByteView body = input.bytes(input.number<std::uint8_t>());
      store_be(scratch_.data() + kHeader, std::uint64_t{input.number<std::uint16_t>()});
      std::ranges::copy(body, scratch_.data() + kMessageHeader);
      send(Type::message, input.number<std::uint8_t>() % 4, number_, 0, kMessageHeader + body.size());
      break;
    }
    case 5: {
      const ByteView body = input.bytes(input.number<std::uint16_t>() % (1472 - kHeader));
      std::ranges::copy(body, scratch_.data() + kHeader);
      const auto type = static_cast<Type>(1 + input.number<std::uint8_t>() % 9);
      const auto number = input.number<std::uint64_t>();
      send(type, input.number<std::uint8_t>(), number, 0, kHeader + body.size());
      break;
    }
    case 6: send_raw(input.bytes(input.number<std::uint16_t>() % 1472)); break;
    case 7: pass(Time{1} << input.number<std::uint8_t>() % 34U); break;
    case 8: expect(input); break;
    case 9: offer(input); break;
    case 10:
      if (connection_ != nullptr) {
        const ByteView body = input.bytes(input.number<std::uint8_t>());
        if (connection_->messages_out().room() >= body.size()) {
          connection_->messages_out().write(body);
          host_->wake(*connection_);
        }
      }
      break;
    case 11: consume(); break;
    default:
      if (input.number<std::uint8_t>() < 16) {
        let_go();
      }
      break;
  }
  pump();
}

void Victim::finish() {
  let_go();
  for (int rounds = 0; rounds < 1000 && !host_->empty(); ++rounds) {
    pass(kSecond / 20);
  }
  require(host_->empty(), "a host remembers what is over");
  std::vector<std::byte> bytes(kFile + 1);
  require(::pread(sink_file().get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(kFile),
          "the sink's length has changed");
  bytes.pop_back();
  for (const ExtentId& id : offered_) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(id.offset), id.length, kUntouched);
  }
  require(std::ranges::all_of(bytes, [](std::byte byte) { return byte == kUntouched; }),
          "bytes were written outside the offered extents");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  Input input(std::as_bytes(std::span(data, size)));
  Victim victim(input.number<std::uint8_t>() % 2 == 1);
  victim.shake_hands();
  while (!input.empty()) {
    victim.step(input);
  }
  victim.finish();
  return 0;
}
