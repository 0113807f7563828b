// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/pacer.hpp"
#include "datapaths/packet/testing/times.hpp"

#include <catch2/catch.hpp>

namespace waggle::packet {
namespace {

constexpr std::uint64_t kBurst = 256 * 1024;

/// Bytes sent in 200 ms by somebody who asks every `step` ns, or sleeps until next() when `step` is 0.
std::uint64_t sent_in_a_while(std::uint64_t rate, Time step, std::uint64_t packet) {
  Pacer pacer;
  pacer.set(kSecond, rate, kBurst);
  std::uint64_t sent = 0;
  for (Time now = kSecond; now < kSecond + kSecond / 5;) {
    while (pacer.allows(now)) {
      pacer.spend(packet);
      sent += packet;
    }
    const Time next = pacer.next(now);
    if (next <= now) {
      return 0;
    }
    now = step != 0 ? now + step : next;
  }
  return sent;
}

TEST_CASE("the rate is kept, however often the pacer is asked") {
  for (const std::uint64_t rate : {300'000UL, 12'500'000UL, 1'250'000'000UL, 12'500'000'000UL}) {
    for (const Time step : {Time{0}, Time{70}, Time{1000}, Time{100'000}}) {
      if (static_cast<double>(rate) * static_cast<double>(step) * 1e-9 > kBurst) {
        continue;  // more than a burst passes between two looks
      }
      CAPTURE(rate, step);
      const double expected = static_cast<double>(rate) / 5;
      CHECK(static_cast<double>(sent_in_a_while(rate, step, 1400)) == Approx(expected).epsilon(0.01).margin(1400));
    }
  }
}

TEST_CASE("an idle sender saves up one burst and no more") {
  Pacer pacer;
  pacer.set(0, 1'000'000'000, kBurst);
  std::uint64_t sent = 0;
  while (pacer.allows(5 * kSecond)) {
    pacer.spend(1000);
    sent += 1000;
  }
  CHECK(sent <= kBurst + 1000);
  CHECK(sent >= kBurst);
}

TEST_CASE("a slow rate waits for a packet, not for a burst") {
  Pacer pacer;
  pacer.set(0, 400'000, kBurst);
  CHECK_FALSE(pacer.allows(0));
  CHECK(pacer.next(0) <= 1'000'001);
  CHECK(pacer.allows(pacer.next(0)));
}

TEST_CASE("without a rate everything may go at once") {
  Pacer pacer;
  CHECK(pacer.allows(0));
  pacer.spend(1'000'000'000);
  CHECK(pacer.allows(0));
  CHECK(pacer.next(7) == 7);
}

}  // namespace
}  // namespace waggle::packet
