// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/testing/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/units.hpp"

namespace waggle::packet::testing {
namespace {

constexpr Time kSecond = 1'000'000'000;

/// Draws what a scenario is made of.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15U + 1) {}
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::uint64_t upto(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random_); }
  double fraction(double most) { return std::uniform_real_distribution<double>(0, most)(random_); }
  /// Every order of magnitude is as likely as any other.
  std::uint64_t magnitude(double least, double most) {
    return static_cast<std::uint64_t>(std::exp(std::log(least) + fraction(std::log(most / least))));
  }
  /// Nothing half of the time.
  double trouble(double most) { return chance(0.5) ? 0 : fraction(most); }
  template <typename T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[upto(values.size() - 1)];
  }

 private:
  std::mt19937_64 random_;
};

Impairments draw_impairments(Dice& dice) {
  Impairments made;
  made.loss = dice.trouble(0.3);
  made.duplicate = dice.trouble(0.3);
  made.reorder = dice.trouble(0.3);
  made.corrupt = dice.trouble(0.1);
  made.truncate = dice.trouble(0.1);
  made.delay = dice.magnitude(1e3, 50e6);
  made.jitter = dice.chance(0.5) ? 0 : dice.magnitude(1e3, 20e6);
  if (dice.chance(0.4)) {
    made.rate = dice.magnitude(2e6, 10e9);
    made.queue = std::max<std::uint64_t>(20'000, dice.magnitude(1e4, 1e6));
  }
  made.largest = dice.chance(0.3) ? 1200 + static_cast<std::uint32_t>(dice.upto(3000)) : 0;
  return made;
}

std::string describe_link(const Impairments& link) {
  return fmt::format(
      "loss {:.2f} dup {:.2f} reorder {:.2f} corrupt {:.2f} truncate {:.2f} delay {} jitter {} rate {} queue {} "
      "largest {}",
      link.loss, link.duplicate, link.reorder, link.corrupt, link.truncate,
      format_duration_ns(static_cast<double>(link.delay)), format_duration_ns(static_cast<double>(link.jitter)),
      format_rate(static_cast<double>(link.rate)), link.queue, link.largest);
}

}  // namespace

Scenario::Scenario(std::uint64_t number) : seed(number) {
  Dice dice(seed);
  up = draw_impairments(dice);
  down = draw_impairments(dice);
  if (dice.chance(0.15)) {
    (dice.chance(0.5) ? up : down).loss = 0.3;  // one direction only: ACKs are lost, or payload
    (up.loss == 0.3 ? down : up).loss = 0;
  }
  if (dice.chance(0.3)) {
    mishap = dice.one_of(
        {Mishap::black_hole, Mishap::dead, Mishap::server_restarts, Mishap::client_vanishes, Mishap::address_changes});
    mishap_at = dice.magnitude(1e6, 3e9);
    mishap_for = dice.magnitude(1e6, 3e9);
  }
  client_port = {.packet = static_cast<std::uint32_t>(dice.one_of({1200, 1472, 3400, 8900})),
                 .rx_capacity = static_cast<std::uint32_t>(dice.one_of({64, 256, 1024})),
                 .tx_capacity = static_cast<std::uint32_t>(dice.one_of({64, 256, 1024})),
                 .refuses = dice.chance(0.2) ? 0.3 : 0};
  server_port = client_port;
  server_port.packet = static_cast<std::uint32_t>(dice.one_of({1200, 1472, 3400, 8900}));
  client.staging = server.staging = dice.one_of<std::uint64_t>({64 << 10U, 1 << 20U, 32 << 20U});
  client.burst = server.burst = static_cast<std::uint32_t>(dice.one_of({1, 8, 64}));
  client.read = server.read = dice.one_of({FileReader::Way::copied, FileReader::Way::mapped});
  server.listens = true;
  concurrency = 1 + dice.upto(3);
  const std::uint64_t count = 1 + dice.upto(7);
  for (std::uint64_t i = 0; i < count; ++i) {
    Job job;
    job.id.handle = static_cast<std::uint32_t>(i + 1);
    job.id.length = dice.chance(0.1) ? 0 : dice.magnitude(1, 400e3);
    job.put = dice.chance(0.4);
    job.unasked = job.put && dice.chance(0.5);
    job.sink = dice.one_of({Incoming::Sink::file, Incoming::Sink::file, Incoming::Sink::discard, Incoming::Sink::view});
    if (job.sink == Incoming::Sink::view) {
      job.id.length = std::min(job.id.length, kMaxView);
    }
    if (job.put && !job.unasked) {
      job.sink = Incoming::Sink::file;
    }
    job.ballast = dice.chance(0.2) ? static_cast<std::uint32_t>(dice.upto(60'000)) : 0;
    file_size += dice.upto(5000);
    job.id.offset = file_size;
    file_size += job.id.length;
    bytes += job.id.length;
    jobs.push_back(job);
  }
  file_size += 1 + dice.upto(5000);
}

std::string Scenario::describe() const {
  static constexpr const char* kMishaps[] = {
      "none", "black hole", "dead", "server restarts", "client vanishes", "address changes"};
  return fmt::format(
      "seed {}: {} jobs, {} bytes, {} at once, packets {}/{}, burst {}, mishap {} at {} for {}\n  up: {}\n  down: {}",
      seed, jobs.size(), bytes, concurrency, client_port.packet, server_port.packet, client.burst,
      kMishaps[static_cast<int>(mishap)], format_duration_ns(static_cast<double>(mishap_at)),
      format_duration_ns(static_cast<double>(mishap_for)), describe_link(up), describe_link(down));
}

namespace {

constexpr Peer kServer{.ip = 0x0A000001, .port = 7000};
constexpr Peer kClient{.ip = 0x0A000002, .port = 40001};
constexpr Peer kElsewhere{.ip = 0x0A000003, .port = 40001};
/// Within this time after an end has vanished the other one must have said so (issue 3: ten seconds).
constexpr Time kMostSilence = 10 * kSecond;

/// The machines of one scenario and what is known of them.
class Run {
 public:
  explicit Run(const Scenario& scenario)
      : scenario_(scenario),
        world_(std::max({9000U, scenario.client_port.packet, scenario.server_port.packet})),
        up_(scenario.up, 2 * scenario.seed),
        down_(scenario.down, 2 * scenario.seed + 1),
        watcher_(world_.network()),
        client_files_(1, scenario.file_size),
        server_files_(0, scenario.file_size),
        server_(world_.add(kServer, down_, scenario.server_port, scenario.server)),
        client_(world_.add(kClient, up_, scenario.client_port, scenario.client)),
        start_(world_.now()) {}

  Outcome operator()();

 private:
  void serve(Time now);
  void ask(Time now);
  void schedule_mishap();
  Outcome judge();
  void check_files() const;

  const Scenario& scenario_;
  World world_;
  VirtualLink up_;
  VirtualLink down_;
  Watcher watcher_;
  Files client_files_;
  Files server_files_;
  World::Machine& server_;
  World::Machine& client_;
  Time start_;
  std::list<Party> served_;
  std::optional<Party> party_;
  std::optional<Error> client_failure_;
  std::optional<Error> server_failure_;
  std::vector<ExtentId> server_complete_;
  Time happened_ = 0;
  bool left_ = false;
  Outcome outcome_;
};

void Run::serve(Time now) {
  while (Connection* connection = server_.host->accepted()) {
    served_.emplace_back(*server_.host, *connection, server_files_, 0);
    watcher_.add(*connection, kServer);
  }
  for (auto party = served_.begin(); party != served_.end();) {
    party->act(now);
    if (!party->over()) {
      ++party;
      continue;
    }
    server_failure_ = party->failure() ? party->failure() : server_failure_;
    server_complete_.insert(server_complete_.end(), party->complete().begin(), party->complete().end());
    watcher_.remove(party->connection());
    server_.host->forget(party->connection(), now);
    party = served_.erase(party);
  }
  watcher_.check();
}

void Run::ask(Time now) {
  if (party_) {
    party_->act(now);
    if (party_->finished() || party_->over()) {
      client_failure_ = party_->failure();
      outcome_.verified = party_->finished();
      const auto& stats = party_->connection().stats();
      outcome_.packets = stats.packets_sent + stats.packets_received;
      outcome_.retransmissions = stats.retransmissions;
      outcome_.spurious = stats.spurious_losses;
      outcome_.probe_timeouts = stats.probe_timeouts;
      check_files();
      watcher_.remove(party_->connection());
      client_.host->forget(party_->connection(), now);
      outcome_.took = now - start_;
      party_.reset();
      left_ = true;
    }
  }
  watcher_.check();
}

void Run::check_files() const {
  std::vector<ExtentId> gets;
  std::vector<ExtentId> puts;
  for (const Job& job : scenario_.jobs) {
    (job.put ? puts : gets).push_back(job.id);
  }
  client_files_.check(0, gets, party_ ? party_->complete() : std::vector<ExtentId>{});
  server_files_.check(1, puts, server_complete_);
}

void Run::schedule_mishap() {
  const Time at = start_ + scenario_.mishap_at;
  const Time until = at + scenario_.mishap_for;
  switch (scenario_.mishap) {
    case Mishap::none: break;
    case Mishap::black_hole:
    case Mishap::dead:
      for (VirtualLink* link : {&up_, &down_}) {
        link->impairments().black_holes.push_back({at, scenario_.mishap == Mishap::dead ? kNever : until});
      }
      happened_ = at;
      break;
    case Mishap::server_restarts:
      world_.at(at, [this] {
        watcher_.forget(kServer);
        served_.clear();
        world_.crash(server_, down_, scenario_.server_port, true);
        server_.act = [this](Time now) { serve(now); };
        happened_ = world_.now();
      });
      break;
    case Mishap::client_vanishes:
      world_.at(at, [this] {
        if (party_) {
          watcher_.remove(party_->connection());
          party_.reset();
          left_ = true;
          client_failure_ = Error{Fault::cancelled, "killed", {}};
        }
        world_.crash(client_, up_, scenario_.client_port, false);
        happened_ = world_.now();
      });
      break;
    case Mishap::address_changes:
      world_.at(at, [this] { world_.network().translate(kClient, kElsewhere); });
      world_.at(until, [this] { world_.network().translate(kClient, kClient); });
      happened_ = at;
      break;
  }
}

Outcome Run::judge() {
  if (outcome_.verified) {
    must(!client_failure_, "all is verified and yet there is an error");
    return outcome_;
  }
  must(client_failure_.has_value(), "the client neither finished nor failed");
  outcome_.failure = client_failure_->what;
  must(!outcome_.failure.empty(), "an error says nothing");
  const Fault fault = client_failure_->fault;
  switch (scenario_.mishap) {
    case Mishap::server_restarts:
      must(fault == Fault::peer_gone || fault == Fault::timeout, "a restart has the wrong name");
      break;
    case Mishap::client_vanishes: break;
    default: must(fault == Fault::timeout || fault == Fault::peer_gone, "a transfer failed for no good reason"); break;
  }
  return outcome_;
}

Outcome Run::operator()() {
  const auto connection = client_.host->connect(kServer, world_.now());
  must(connection.has_value(), "cannot begin to connect");
  party_.emplace(*client_.host, **connection, client_files_, 1, scenario_.jobs, scenario_.concurrency);
  watcher_.add(**connection, kClient);
  server_.act = [this](Time now) { serve(now); };
  client_.act = [this](Time now) { ask(now); };
  schedule_mishap();
  for (const auto& [at, largest] : scenario_.path_steps) {
    world_.at(start_ + at,
              [this, largest = largest] { up_.impairments().largest = down_.impairments().largest = largest; });
  }
  must(world_.run(start_ + 3600 * kSecond, [this] { return left_; }), "no progress and no timeout");
  if (!outcome_.verified && scenario_.mishap == Mishap::dead) {
    must(world_.now() <= happened_ + kMostSilence, "the client noticed too late");
  }
  // Both ends forget everything in the end, whatever has happened.
  const Time left_at = std::max(world_.now(), happened_);
  const auto quiet = [this] {
    return served_.empty() && server_.host->empty() && (!client_.host || client_.host->empty());
  };
  if (!world_.run(left_at + 2 * kMostSilence, quiet)) {
    throw Violation(fmt::format("an end remembers what is over: {} served, server {}, client {}", served_.size(),
                                server_.host->empty() ? "empty" : "not empty",
                                !client_.host || client_.host->empty() ? "empty" : "not empty"));
  }
  check_files();
  server_.host.reset();
  client_.host.reset();
  // Only what is still on its way holds a frame.
  world_.network().advance(world_.now() + 60 * kSecond);
  must(world_.network().frames_in_use() == 0, "frames were not given back");
  return judge();
}

}  // namespace

Outcome run(const Scenario& scenario) {
  return Run(scenario)();
}

}  // namespace waggle::packet::testing
