// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/port.hpp"

/// Many connections at once, a thread each at both ends: where ports are shared, all of them pump and sleep in turn.
namespace waggle::packet::testing {

inline constexpr auto kCrowdPatience = std::chrono::seconds(20);

/// Sends messages back to as many clients, until each of them has closed.
inline void serve_crowd(Listener& listener, int clients) {
  std::vector<std::jthread> serving;
  for (int client = 0; client < clients; ++client) {
    auto accepted = listener.accept();
    if (!accepted) {
      return;
    }
    serving.emplace_back([channel = *std::move(accepted)] {
      for (;;) {
        const auto event = channel->next(kCrowdPatience);
        if (!event || event->kind != Event::Kind::message) {
          return;
        }
        const std::vector<std::byte> copy(event->message.begin(), event->message.end());
        if (!channel->send(copy) || !channel->flush()) {
          return;
        }
      }
    });
  }
}

struct Crowd {
  int done = 0;   ///< clients that got back all that they had sent
  Time slow = 0;  ///< ns of the slowest round trip
};

using Connect = std::function<Result<std::unique_ptr<Channel>>()>;

/// Whether `rounds` messages came back as they were. Small ones, with now and then one of many packets in between.
inline bool ask(const Connect& connect, int rounds, Time& slow) {
  auto channel = connect();
  for (int round = 0; channel && round < rounds; ++round) {
    const std::vector<std::byte> message(round % 16 == 5 ? 100'000U : 64U + static_cast<unsigned>(round % 1000),
                                         static_cast<std::byte>(round));
    const Time start = now_ns();
    if (!(*channel)->send(message) || !(*channel)->flush()) {
      return false;
    }
    const auto event = (*channel)->next(kCrowdPatience);
    if (!event || event->kind != Event::Kind::message || !std::ranges::equal(event->message, message)) {
      return false;
    }
    slow = std::max(slow, now_ns() - start);
  }
  return channel.has_value();
}

inline Crowd run_crowd(const Connect& connect, int clients, int rounds) {
  struct Outcome {
    bool done = false;
    Time slow = 0;
  };
  std::vector<Outcome> outcomes(static_cast<std::size_t>(clients));
  std::vector<std::jthread> threads;
  for (Outcome& outcome : outcomes) {
    threads.emplace_back([&] { outcome.done = ask(connect, rounds, outcome.slow); });
  }
  threads.clear();
  Crowd crowd;
  for (const Outcome& outcome : outcomes) {
    crowd.done += outcome.done ? 1 : 0;
    crowd.slow = std::max(crowd.slow, outcome.slow);
  }
  return crowd;
}

}  // namespace waggle::packet::testing
