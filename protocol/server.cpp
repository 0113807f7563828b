// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/codec.hpp"

namespace waggle::protocol {
namespace {

/// How long a client that is one too many is listened to, so that it can read why.
constexpr std::chrono::milliseconds kRefusal{100};
/// Between two attempts to accept while the process is out of descriptors.
constexpr std::chrono::milliseconds kBreath{50};

void refuse(Channel& channel, std::size_t most_clients) {
  MessageBuffer buffer;
  const std::string what = fmt::format("the server is busy: it takes no more clients than {}", most_clients);
  const auto message = encode(buffer, 0, ErrorReply{wire_code(Fault::busy), what, "try again later"});
  if (message && channel.send(*message) && channel.flush()) {
    static_cast<void>(channel.next(kRefusal));  // its HELLO, lest closing discards our message
  }
}

}  // namespace

struct Server::State {
  struct Connection {
    std::unique_ptr<Channel> channel;
    std::thread thread;
  };
  using Connections = std::list<Connection>;

  std::unique_ptr<Listener> listener;
  std::function<std::unique_ptr<FileService>()> make_service;
  ServerOptions options;
  std::function<void(const Error&)> on_error;

  mutable std::mutex mutex;
  std::condition_variable stop_asked;
  bool stopping = false;
  Connections open;
  Connections finished;  ///< ended by themselves; their threads are about to return
  Counters closed_counters;
  Facts first_facts;
  bool seen_one = false;
  std::thread acceptor;

  void report(const Error& error) const {
    if (on_error) {
      on_error(error);
    }
  }

  void accept_all() {
    while (true) {
      auto channel = listener->accept();
      {
        std::unique_lock lock(mutex);
        if (stopping) {
          return;
        }
        if (!channel && channel.error().fault == Fault::cancelled) {
          return;
        }
        if (!channel) {
          lock.unlock();
          report(channel.error());
          lock.lock();
          stop_asked.wait_for(lock, kBreath, [&] { return stopping; });
          continue;
        }
        if (open.size() < options.most_clients) {
          start(std::move(*channel));
          continue;
        }
      }
      refuse(**channel, options.most_clients);
    }
  }

  /// With the mutex held.
  void start(std::unique_ptr<Channel> channel) {
    if (!std::exchange(seen_one, true)) {
      first_facts = channel->facts();
    }
    const auto connection = open.emplace(open.end());
    connection->channel = std::move(channel);
    try {
      connection->thread = std::thread([this, connection] { serve(connection); });
    } catch (const std::system_error&) {  // the one way in which std::thread says that there are no more threads
      open.erase(connection);
      report(Error{Fault::busy, "cannot start a thread for a client: the process has too many"});
    }
  }

  void serve(Connections::iterator connection) {
    {
      const auto files = make_service();
      const auto served = serve_connection(*connection->channel, *files, options);
      if (!served && served.error().fault != Fault::cancelled) {
        report(served.error());
      }
    }
    Connections reaped;
    {
      const std::lock_guard lock(mutex);
      for (const auto& [name, count] : connection->channel->counters()) {
        closed_counters[name] += count;
      }
      connection->channel.reset();
      if (stopping) {
        return;  // stop() joins what is in `open`
      }
      reaped.swap(finished);
      finished.splice(finished.end(), open, connection);
    }
    join(reaped);
  }

  static void join(Connections& connections) {
    for (Connection& connection : connections) {
      connection.thread.join();
    }
    connections.clear();
  }
};

Server::Server(std::unique_ptr<Listener> listener, std::function<std::unique_ptr<FileService>()> make_service,
               ServerOptions options, std::function<void(const Error&)> on_error)
    : state_(std::make_unique<State>()) {
  state_->listener = std::move(listener);
  state_->make_service = std::move(make_service);
  state_->options = std::move(options);
  state_->on_error = std::move(on_error);
  state_->acceptor = std::thread([state = state_.get()] { state->accept_all(); });
}

Server::~Server() {
  stop();
}

Endpoint Server::endpoint() const {
  return state_->listener->endpoint();
}

void Server::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->stopping, true)) {
      return;
    }
    for (auto& connection : state_->open) {
      if (connection.channel) {
        connection.channel->abort();
      }
    }
  }
  state_->stop_asked.notify_all();
  state_->listener->abort();
  state_->acceptor.join();
  // Nothing is added or moved any more: the threads see `stopping`.
  State::join(state_->finished);
  State::join(state_->open);
}

Counters Server::counters() const {
  const std::lock_guard lock(state_->mutex);
  Counters sum = state_->closed_counters;
  for (const auto& connection : state_->open) {
    if (connection.channel) {
      for (const auto& [name, count] : connection.channel->counters()) {
        sum[name] += count;
      }
    }
  }
  return sum;
}

std::size_t Server::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open.size();
}

Facts Server::facts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->first_facts;
}

}  // namespace waggle::protocol
