// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <list>

#include "datapaths/packet/simulated/testing/dice.hpp"
#include "datapaths/packet/simulated/testing/scenario.hpp"
#include "datapaths/packet/simulated/testing/seeds.hpp"
#include "datapaths/packet/testing/raw_peer.hpp"
#include "datapaths/packet/testing/times.hpp"

/// One server, an honest client and some that do what they like, in virtual time: stalls, payload that comes too late,
/// closing half way, handles and extents used again, old packets repeated, nothing acknowledged. Sessions of the server
/// lose their patience, end, and give their descriptors' numbers to others while the outlaws go on.
namespace waggle::packet::testing {
namespace {

constexpr Peer kHost{.ip = 0x0A000001, .port = 7000};
constexpr Peer kHonest{.ip = 0x0A000002, .port = 40001};
constexpr std::byte kNoise{0xEE};
constexpr std::uint64_t kRoom = 60'000;  ///< bytes of a guest's file, in kExtents parts with gaps between them
constexpr std::uint32_t kExtents = 5;
constexpr std::uint64_t kGap = 500;

/// A file that nobody has written to yet.
SharedFd blank_file() {
  SharedFd file(UniqueFd(::memfd_create("outlaw", MFD_CLOEXEC)));
  const std::vector<std::byte> blank(kRoom, Files::kUntouched);
  must(file && ::write(file.get(), blank.data(), blank.size()) == static_cast<ssize_t>(kRoom), "no file in memory");
  return file;
}

std::vector<std::byte> content(const SharedFd& file) {
  std::vector<std::byte> bytes(kRoom + 1);
  const auto got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

ExtentId extent_of(std::uint32_t handle) {
  const std::uint64_t part = kRoom / kExtents;
  return {handle, (handle - 1) * part + kGap, part - 2 * kGap};
}

/// The server's end of an outlaw's connection: a session that expects uploads and has little patience.
class Guest {
 public:
  Guest(Host& host, Connection& connection, Time patience)
      : host_(&host), connection_(&connection), until_(patience), file_(blank_file()) {
    for (std::uint32_t handle = 1; handle <= kExtents; ++handle) {
      Expected& each = expected_.emplace_back();
      connection_->expect({extent_of(handle), Incoming::Sink::file, file_, &each.digest});
    }
  }

  /// False when it is over: its files have gone.
  bool act(Time now) {
    MessageReceiver& stream = connection_->messages_in();
    if (stream.available() > 0) {
      stream.consume(stream.available());
      connection_->consumed(now);
      MessageSender& out = connection_->messages_out();
      const std::vector<std::byte> answer(std::min<std::uint64_t>(out.room(), 1000), kNoise);
      out.write(answer);
      host_->wake(*connection_);
    }
    return now < until_ && !connection_->failure() && !connection_->peer_closed();
  }

  /// As a session ends: receiving first, then the file. What may have been written into it until now is looked at, and
  /// returned with a descriptor that does not have the number of the file's.
  struct Left {
    int number = -1;
    SharedFd file;
    std::vector<std::byte> bytes;
  };
  Left leave(Time now) {
    connection_->end_receiving();
    host_->wake(*connection_);
    Left left{file_.get(), SharedFd(UniqueFd(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 500))), content(file_)};
    file_.reset();
    host_->forget(*connection_, now);
    return left;
  }

 private:
  struct Expected {
    ExtentDigester digest{DigestKind::xxh3_128};
  };
  Host* host_;
  Connection* connection_;
  Time until_;
  SharedFd file_;
  std::list<Expected> expected_;
};

/// Whoever keeps to nothing. It acts at times of its own.
class Outlaw {
 public:
  Outlaw(World& world, VirtualLink& uplink, Peer address, std::uint64_t seed, Time until)
      : world_(world),
        dice_(seed),
        until_(until),
        port_(world.network().open(address, uplink, {.rx_capacity = 4096})),
        raw_(seed | 1U, terms(), [this](ByteView packet) { send(packet); }) {
    raw_.acknowledges = dice_.chance(0.7);
    raw_.path = dice_.chance(0.3) ? 1200 + static_cast<std::uint32_t>(dice_.below(200)) : UINT32_MAX;
    step();
  }

  std::uint64_t packets() const { return packets_; }

 private:
  Terms terms() {
    Terms made = RawPeer::kGenerous;
    made.message_limit = dice_.chance(0.2) ? 0 : made.message_limit;
    made.packet_limit = dice_.chance(0.2) ? 10 : made.packet_limit;
    return made;
  }

  void send(ByteView packet) {
    TxFrame frame;
    if (port_->lease({&frame, 1}) == 0) {
      return;
    }
    std::ranges::copy(packet, frame.packet);
    frame.length = static_cast<std::uint32_t>(packet.size());
    frame.to = kHost;
    must(port_->send({&frame, 1}).value_or(0) == 1, "a simulated port refuses a packet");
    ++packets_;
  }

  void receive() {
    std::array<RxFrame, kMostBurst> frames;
    for (;;) {
      const std::size_t count = port_->poll(frames).value_or(0);
      if (count == 0) {
        break;
      }
      for (const RxFrame& frame : std::span(frames).first(count)) {
        raw_.on_packet(ByteView(frame.packet, frame.length));
      }
      port_->release(std::span(frames).first(count));
    }
    while (raw_.take_message()) {
    }
    raw_.acknowledge();
  }

  void step() {
    if (world_.now() >= until_) {
      port_.reset();
      return;
    }
    receive();
    if (!raw_.accepted()) {
      raw_.hello();
    } else {
      act();
    }
    // Mostly at once, now and then after a stall that outlasts any patience.
    const Time pause = dice_.chance(0.05) ? 2 * kSecond + dice_.below(2 * kSecond) : dice_.below(40 * kMs);
    world_.at(world_.now() + pause + kMs, [this] { step(); });
  }

  void act() {
    static const std::vector<std::byte> noise(8'000, kNoise);
    const auto handle = 1 + static_cast<std::uint32_t>(dice_.below(kExtents));
    const ExtentId id = extent_of(handle);
    const std::uint64_t length = 1 + dice_.below(noise.size() - 1);
    const std::uint64_t at = id.offset + dice_.below(id.length - std::min(id.length - 1, length));
    const std::size_t piece = 1 + dice_.below(1400);
    switch (dice_.below(12)) {
      case 0:
      case 1:
      case 2: raw_.data(handle - 1, handle, at, ByteView(noise).first(length), piece < 200 ? 200 : piece); break;
      case 3: raw_.message(ByteView(noise).first(length), dice_.chance(0.5) ? &id : nullptr); break;
      case 4:  // of no extent, of a wrong handle, beyond the end of the extent
        raw_.data(static_cast<std::uint32_t>(dice_.below(1U << 16U)), handle, at, ByteView(noise).first(100));
        raw_.data(handle - 1, handle + 1, at, ByteView(noise).first(100));
        raw_.data(handle - 1, handle, id.offset + id.length - 50, ByteView(noise).first(100));
        raw_.data(handle - 1, handle, ~std::uint64_t{0} - dice_.below(200), ByteView(noise).first(100));
        break;
      case 5: raw_.again(); break;
      case 6:
      case 7:
        for (std::uint64_t i = dice_.below(64); i > 0; --i) {
          raw_.repeat(dice_.below(raw_.kept()));
        }
        break;
      case 8: raw_.ping(); break;
      case 9: raw_.acknowledges = !raw_.acknowledges; break;
      case 10: raw_.hello(); break;
      case 11:
        if (dice_.chance(0.1)) {
          raw_.close(dice_.chance(0.5) ? CloseCode::done : CloseCode::failed);  // and goes on
        }
        break;
    }
  }

  World& world_;
  Dice dice_;
  Time until_;
  std::uint64_t packets_ = 0;
  std::unique_ptr<Port> port_;
  RawPeer raw_;
};

Impairments some_trouble(Dice& dice) {
  Impairments made;
  made.loss = dice.chance(0.5) ? dice.fraction(0.1) : 0;
  made.duplicate = dice.chance(0.5) ? dice.fraction(0.2) : 0;
  made.reorder = dice.chance(0.5) ? dice.fraction(0.2) : 0;
  made.delay = 10'000 + dice.below(20 * kMs);
  made.jitter = dice.chance(0.5) ? dice.below(5 * kMs) : 0;
  return made;
}

std::vector<Job> draw_jobs(Dice& dice, std::uint64_t& size) {
  std::vector<Job> jobs;
  for (std::uint64_t i = 0, count = 1 + dice.below(5); i < count; ++i) {
    Job job{.id = {static_cast<std::uint32_t>(i + 1), size, 1 + dice.below(100'000)}, .put = dice.chance(0.6)};
    job.unasked = job.put && dice.chance(0.5);
    size += job.id.length + dice.below(5000);
    jobs.push_back(job);
  }
  ++size;
  return jobs;
}

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : dice_(seed),
        jobs_(draw_jobs(dice_, size_)),
        up_(some_trouble(dice_), 2 * seed),
        down_(some_trouble(dice_), 2 * seed + 1),
        elsewhere_({.delay = kMs}, seed),
        client_files_(1, size_),
        server_files_(0, size_),
        server_(world_.add(kHost, down_, {}, {.listens = true})),
        client_(world_.add(kHonest, up_, {}, {})),
        start_(world_.now()) {}

  std::uint64_t operator()() {
    const auto connection = client_.host->connect(kHost, start_);
    must(connection.has_value(), "cannot begin to connect");
    party_.emplace(*client_.host, **connection, client_files_, 1, jobs_, 2);
    server_.act = [this](Time now) { serve(now); };
    client_.act = [this](Time now) { party_->act(now); };
    const Time until = start_ + kSecond + dice_.below(8 * kSecond);
    for (std::uint16_t i = 0, count = static_cast<std::uint16_t>(1 + dice_.below(3)); i < count; ++i) {
      outlaws_.emplace_back(world_, elsewhere_, Peer{.ip = 0x0A000009, .port = static_cast<std::uint16_t>(500 + i)},
                            dice_.below(~std::uint64_t{0}), until);
    }
    must(world_.run(start_ + 600 * kSecond, [&] { return party_->finished() || party_->over(); }),
         "an honest client waits for ever");
    must(party_->finished(),
         "an honest client fails: " + (party_->failure() ? party_->failure()->what : "it was closed"));
    client_.host->forget(party_->connection(), world_.now());
    client_.act = {};
    must(world_.run(std::max(world_.now(), until) + 60 * kSecond,
                    [&] { return served_.empty() && guests_.empty() && server_.host->empty(); }),
         "the server remembers what is over");
    check();
    must(world_.idle_calls() < 100, "the server asks to be called again and again, and does nothing");
    std::uint64_t packets = 0;
    for (const Outlaw& outlaw : outlaws_) {
      packets += outlaw.packets();
    }
    return packets;
  }

  std::size_t sessions() const { return left_.size(); }
  std::size_t reused() const { return reused_; }

 private:
  void serve(Time now) {
    while (Connection* connection = server_.host->accepted()) {
      if (connection->peer() == kHonest) {
        served_.emplace_back(*server_.host, *connection, server_files_, 0);
      } else {
        guests_.emplace_back(*server_.host, *connection, now + 200 * kMs + dice_.below(3 * kSecond));
        server_.host->wake(*connection);
      }
    }
    for (auto party = served_.begin(); party != served_.end();) {
      party->act(now);
      if (!party->over()) {
        ++party;
        continue;
      }
      complete_.insert(complete_.end(), party->complete().begin(), party->complete().end());
      server_.host->forget(party->connection(), now);
      party = served_.erase(party);
    }
    for (auto guest = guests_.begin(); guest != guests_.end();) {
      if (guest->act(now)) {
        ++guest;
        continue;
      }
      left_.push_back(guest->leave(now));
      guest = guests_.erase(guest);
      // The number goes to the next file.
      heirs_.push_back(blank_file());
      reused_ += heirs_.back().get() == left_.back().number ? 1 : 0;
    }
  }

  void check() const {
    std::vector<ExtentId> puts;
    std::vector<ExtentId> gets;
    for (const Job& job : jobs_) {
      (job.put ? puts : gets).push_back(job.id);
    }
    client_files_.check(0, gets, party_->complete());
    server_files_.check(1, puts, complete_);
    for (const SharedFd& heir : heirs_) {
      must(std::ranges::all_of(content(heir), [](std::byte byte) { return byte == Files::kUntouched; }),
           "bytes came into the file that got a descriptor's number");
    }
    for (const Guest::Left& left : left_) {
      const auto bytes = content(left.file);
      must(bytes == left.bytes, "bytes were written after a session had ended");
      for (std::size_t at = 0; at < bytes.size(); ++at) {
        const std::uint64_t inside = at % (kRoom / kExtents);
        const bool offered = inside >= kGap && inside < kRoom / kExtents - kGap;
        must(bytes[at] == Files::kUntouched || (offered && bytes[at] == kNoise),
             "bytes were written outside the offered extents");
      }
      must(bytes.size() == kRoom, "a file has another length than before");
    }
  }

  Dice dice_;
  std::uint64_t size_ = 0;
  std::vector<Job> jobs_;
  VirtualLink up_;
  VirtualLink down_;
  VirtualLink elsewhere_;
  World world_;
  Files client_files_;
  Files server_files_;
  World::Machine& server_;
  World::Machine& client_;
  Time start_;
  std::list<Party> served_;
  std::list<Guest> guests_;
  std::vector<Guest::Left> left_;
  std::vector<SharedFd> heirs_;
  std::size_t reused_ = 0;
  std::vector<ExtentId> complete_;
  std::optional<Party> party_;
  std::list<Outlaw> outlaws_;
};

// WAGGLE_SEEDS: how many; WAGGLE_SEED: only this one.
TEST_CASE("outlaws get at nobody's bytes, and an honest client is served beside them") {
  const std::uint64_t count = number_from("WAGGLE_SEEDS", 2000);
  const std::uint64_t only = number_from("WAGGLE_SEED", 0);
  std::uint64_t packets = 0;
  std::uint64_t sessions = 0;
  std::uint64_t reused = 0;
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= (only != 0 ? only : count); ++seed) {
    INFO("seed " << seed);
    Run run(seed);
    REQUIRE_NOTHROW(packets += run());
    sessions += run.sessions();
    reused += run.reused();
  }
  std::cout << packets << " packets of outlaws, " << sessions << " sessions, " << reused
            << " descriptors given to others at once\n";
  CHECK(sessions > 0);
  CHECK(reused * 2 > sessions);
}

}  // namespace
}  // namespace waggle::packet::testing
