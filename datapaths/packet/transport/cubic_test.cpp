// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/cubic.hpp"
#include "datapaths/packet/testing/times.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace waggle::packet {
namespace {

constexpr std::uint32_t kFrame = 1500;

/// A sender that fills its window on a path of fixed RTT: one ACK per `per_ack` packets, evenly spread.
struct Path {
  Cubic cubic{kFrame};
  Time rtt = 50 * kMs;
  std::uint64_t per_ack = 2;
  Time now = kSecond;
  std::uint64_t number = 0;

  double packets() const { return static_cast<double>(cubic.window()) / kFrame; }
  AckSample sample(std::uint64_t bytes) const {
    return {.now = now,
            .bytes = bytes,
            .largest = number,
            .sent_at = now - rtt,
            .rtt = rtt,
            .smoothed = rtt,
            .least = rtt,
            .next = number + cubic.window() / kFrame};
  }
  void ack() {
    number += per_ack;
    now += rtt * per_ack * kFrame / cubic.window();
    cubic.on_ack(sample(per_ack * kFrame));
  }
  void run_until(Time end) {
    while (now < end) {
      ack();
    }
  }
  /// Slow start up to `goal` packets, then a cut.
  void grow_and_cut(double goal) {
    while (packets() < goal) {
      ack();
    }
    cut();
  }
  void cut() {
    now += rtt;
    cubic.on_loss(now, now - rtt / 2);
    now += rtt;  // recovery
  }
};

TEST_CASE("RFC 9438, 4.10: slow start doubles the window per round trip, from ten packets") {
  Path path;
  CHECK(path.packets() == 10);
  CHECK(path.cubic.slow_start());
  for (int round = 1; round <= 5; ++round) {
    const double before = path.packets();
    const std::uint64_t window = path.cubic.window();
    for (std::uint64_t acknowledged = 0; acknowledged < window; acknowledged += kFrame) {
      path.cubic.on_ack(path.sample(kFrame));
    }
    CHECK(path.packets() == Approx(2 * before));
  }
  CHECK(path.cubic.pacing_rate(path.rtt) == Approx(2.0 * static_cast<double>(path.cubic.window()) / 0.05));
}

TEST_CASE("RFC 9438, 4.6: a loss cuts to 0.7, once per round trip, and never below two packets") {
  Path path;
  path.grow_and_cut(100);
  const double after = path.packets();
  CHECK(after == Approx(70).epsilon(0.03));
  CHECK_FALSE(path.cubic.slow_start());
  CHECK(path.cubic.pacing_rate(path.rtt) == Approx(1.25 * static_cast<double>(path.cubic.window()) / 0.05));
  path.cubic.on_loss(path.now, path.now - 2 * path.rtt);  // sent before the cut
  CHECK(path.packets() == after);
  const std::uint64_t window = path.cubic.window();
  AckSample old = path.sample(30'000);
  old.sent_at = path.now - 2 * path.rtt;
  path.cubic.on_ack(old);  // recovery
  CHECK(path.cubic.window() == window);
  for (int i = 0; i < 50; ++i) {
    path.now += kSecond;
    path.cubic.on_loss(path.now, path.now - 1);
  }
  CHECK(path.packets() == 2);
  path.cubic.on_persistent_congestion();
  CHECK(path.packets() == 2);
}

/// RFC 9438, figures 1 and 4, apart from the implementation: what a flow that lost at `most` packets has t seconds
/// later.
double formula(double most, double t, double rtt) {
  const double start = 0.7 * most;
  const double k = std::cbrt((most - start) / 0.4);
  const double curve = 0.4 * std::pow(t - k, 3) + most;
  // The average of Reno with the factor 0.7 (section 4.3): alpha packets per round trip, then one.
  const double alpha = 3 * 0.3 / 1.7;
  const double until = (most - start) / alpha * rtt;
  const double reno = t < until ? start + alpha * t / rtt : most + (t - until) / rtt;
  return std::max(curve, reno);
}

TEST_CASE("RFC 9438, 4.2 to 4.5: after a cut the window follows the curve, for any RTT and window") {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 60; ++trial) {
    Path path;
    path.rtt = std::uniform_int_distribution<Time>(kMs, 120 * kMs)(random);
    path.per_ack = std::uniform_int_distribution<std::uint64_t>(1, 4)(random);
    const double goal = std::exp(std::uniform_real_distribution<double>(std::log(40), std::log(4000))(random));
    path.grow_and_cut(goal);
    const double most = path.packets() / 0.7;
    CAPTURE(trial, path.rtt, path.per_ack, most);
    path.ack();
    const Time start = path.now;
    const double k = std::cbrt(0.3 * most / 0.4);
    for (double t = 0.1 * k; t < 1.5 * k; t += 0.1 * k) {
      path.run_until(start + static_cast<Time>(t * 1e9));
      const double rtt = static_cast<double>(path.rtt) / 1e9;
      const double early = formula(most, t, rtt);
      const double late = formula(most, t + rtt, rtt);  // the window aims one round trip ahead
      CAPTURE(t, early, late);
      REQUIRE(path.packets() >= 0.95 * early - 1);
      REQUIRE(path.packets() <= 1.05 * late + 1);
    }
  }
}

TEST_CASE("RFC 9438, 4.2: growth depends on time, not on how ACKs are bundled") {
  Path fine;
  Path coarse;
  fine.per_ack = 1;
  coarse.per_ack = 16;
  for (Path* path : {&fine, &coarse}) {
    while (path->packets() < 400) {
      path->per_ack = 1;
      path->ack();
    }
    path->cut();
  }
  coarse.per_ack = 16;
  const Time end = fine.now + 8 * kSecond;
  fine.run_until(end);
  coarse.run_until(end);
  CHECK(coarse.packets() == Approx(fine.packets()).epsilon(0.03));
}

TEST_CASE("RFC 9438, 4.7: fast convergence, a second cut below the plateau lowers the plateau further") {
  Path path;
  path.grow_and_cut(1000);
  path.run_until(path.now + kSecond);
  const double before = path.packets();
  REQUIRE(before < 1000);
  path.cut();
  CHECK(path.packets() == Approx(0.7 * before).epsilon(0.01));
  // The plateau is at 0.85 of `before`: the curve is flat there, K seconds after the cut.
  const double plateau = 0.85 * before;
  const double k = std::cbrt((plateau - 0.7 * before) / 0.4);
  path.ack();
  path.run_until(path.now + static_cast<Time>(k * 1e9));
  CHECK(path.packets() == Approx(plateau).epsilon(0.03));
}

TEST_CASE("RFC 9438, 4.3: short round trips grow like Reno") {
  Path path;
  path.rtt = kMs;
  path.grow_and_cut(50);
  const double start = path.packets();
  path.ack();
  path.run_until(path.now + 20 * kMs);
  CHECK(path.packets() == Approx(start + 20 * 3 * 0.3 / 1.7).margin(1.5));
}

TEST_CASE("RFC 9438, 4.9: a spurious loss brings window, threshold and curve back") {
  Path path;
  while (path.packets() < 300) {
    path.ack();
  }
  const std::uint64_t before = path.cubic.window();
  path.cut();
  REQUIRE(path.cubic.window() < before);
  path.cubic.on_spurious_loss();
  CHECK(path.cubic.window() == before);
  CHECK(path.cubic.slow_start());
  path.cubic.on_spurious_loss();  // only once
  CHECK(path.cubic.window() == before);

  path.cut();
  path.run_until(path.now + 2 * kSecond);
  Path undisturbed = path;
  path.cut();
  path.cubic.on_spurious_loss();
  CHECK(path.cubic.window() == undisturbed.cubic.window());
  path.run_until(path.now + 5 * kSecond);
  undisturbed.run_until(undisturbed.now + 5 * kSecond);
  CHECK(path.packets() == Approx(undisturbed.packets()).epsilon(0.02));
}

TEST_CASE("an undo without a cut, or after persistent congestion, does nothing") {
  Path path;
  path.cubic.on_spurious_loss();
  CHECK(path.packets() == 10);
  path.grow_and_cut(100);
  path.cubic.on_persistent_congestion();
  path.cubic.on_spurious_loss();
  CHECK(path.packets() == 2);
  CHECK(path.cubic.slow_start());  // up to the threshold of the cut
  path.run_until(path.now + kSecond);
  CHECK(path.packets() >= 70);
}

TEST_CASE("RFC 9438, 5.8: a sender that does not use its window does not grow it, nor does idle time") {
  Path path;
  path.grow_and_cut(1000);
  path.ack();
  const double before = path.packets();
  for (int i = 0; i < 1000; ++i) {
    path.now += path.rtt / 10;
    AckSample sample = path.sample(kFrame);
    sample.limited = true;
    path.cubic.on_ack(sample);
  }
  CHECK(path.packets() == before);
  path.ack();
  CHECK(path.packets() == Approx(before).epsilon(0.01));
  path.now += 60 * kSecond;
  path.run_until(path.now + 3 * path.rtt);
  CHECK(path.packets() == Approx(before).epsilon(0.05));
}

TEST_CASE("RFC 9438, 4.10 and RFC 9406: HyStart++ leaves slow start without a loss") {
  Path path;
  // A queue of 10 Gbit/s: the round-trip time grows with the window once the path is full at 2,000 packets.
  while (path.cubic.slow_start() && path.packets() < 100'000) {
    path.rtt = static_cast<Time>(50e6 * std::max(1.0, path.packets() / 2000));
    path.ack();
  }
  CHECK(path.packets() > 2000);
  CHECK(path.packets() < 8000);
}

TEST_CASE("larger packets raise the initial window and the least one") {
  Cubic cubic(1200);
  cubic.on_packet_size(8900);
  CHECK(cubic.window() == 89'000);
  cubic.on_loss(1, 1);
  for (Time now = 2; now < 50; ++now) {
    cubic.on_loss(now, now);
  }
  CHECK(cubic.window() == 2 * 8900);
}

TEST_CASE("RFC 9438, 4.4 and 4.5: per round trip the window grows to at most one and a half of it") {
  Path path;
  path.grow_and_cut(2000);
  path.run_until(path.now + 14 * kSecond);  // beyond the plateau, where the curve is steep
  const double before = path.packets();
  const std::uint64_t window = path.cubic.window();
  AckSample sample = path.sample(kFrame);
  sample.smoothed = 30 * kSecond;
  for (std::uint64_t acknowledged = 0; acknowledged < window; acknowledged += kFrame) {
    path.cubic.on_ack(sample);
  }
  CHECK(path.packets() <= 1.5 * before + 1);
  CHECK(path.packets() > 1.3 * before);
}

TEST_CASE("RFC 9438, 4.8: after a timeout the curve starts on its plateau where slow start ended") {
  Path path;
  path.grow_and_cut(1000);
  const double threshold = path.packets();
  path.cubic.on_persistent_congestion();
  while (path.cubic.slow_start()) {
    path.ack();
  }
  CHECK(path.packets() == Approx(threshold).epsilon(0.01));
  path.ack();
  const Time start = path.now;
  for (const double t : {0.5, 1.0, 2.0, 4.0}) {
    path.run_until(start + static_cast<Time>(t * 1e9));
    // K is 0; Reno's estimate keeps its smaller factor, since it is below the window before the cut (4.3).
    const double curve = threshold + 0.4 * std::pow(t + 0.05, 3);
    const double reno = threshold + 3 * 0.3 / 1.7 * t / 0.05;
    CAPTURE(t, curve, reno);
    CHECK(path.packets() == Approx(std::max(curve, reno)).epsilon(0.02));
  }
}

TEST_CASE("RFC 9438, 4.9: after an undo a loss from before it cuts once more, and ACKs grow the window") {
  Path path;
  while (path.packets() < 300) {
    path.ack();
  }
  const std::uint64_t before = path.cubic.window();
  const Time sent = path.now;
  path.now += path.rtt;
  REQUIRE(path.cubic.on_loss(path.now, sent));
  path.cubic.on_spurious_loss();
  REQUIRE(path.cubic.window() == before);
  AckSample old = path.sample(kFrame);
  old.sent_at = sent;
  path.cubic.on_ack(old);
  CHECK(path.cubic.window() == before + kFrame);
  CHECK(path.cubic.on_loss(path.now, sent + 1));
  CHECK(path.cubic.window() < before);
}

TEST_CASE("RFC 9406, 4.3: HyStart++ is for the initial slow start; a later one ends at its threshold only") {
  Path path;
  path.grow_and_cut(1000);
  const double threshold = path.packets();
  path.cubic.on_persistent_congestion();
  while (path.cubic.slow_start()) {
    path.rtt += kMs / 2;  // as a queue that fills
    path.ack();
    REQUIRE(path.packets() <= threshold + 1);
    REQUIRE(path.now < 1000 * kSecond);
  }
  CHECK(path.packets() == Approx(threshold).epsilon(0.01));
}

}  // namespace
}  // namespace waggle::packet
