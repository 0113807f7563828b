// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/authentication.hpp"
#include "protocol/server_handshake.hpp"

namespace waggle::protocol {
namespace {

/// Between two attempts to accept while the process is out of descriptors.
constexpr std::chrono::milliseconds kBreath{50};

/// Whether a listener that said so may let somebody in later: descriptors or memory are short, or a single connection
/// has failed. All else is the end of it.
bool passes(const Error& error) {
  switch (error.system) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPROTO: return true;
    default: return error.fault == Fault::busy;
  }
}

}  // namespace

struct Server::State {
  struct Worker {
    std::unique_ptr<Channel> channel;  ///< empty before its client has come, and once it has ended
    Agreement agreement;
    std::thread thread;
  };
  using Workers = std::list<Worker>;

  std::unique_ptr<Listener> listener;
  std::function<std::unique_ptr<FileService>()> make_service;
  ServerOptions options;
  std::function<void(const Error&)> on_error;
  std::function<void(const Error&)> on_end;

  mutable std::mutex mutex;
  std::condition_variable changed;  ///< `stopping`, or a connection has got its channel
  bool stopping = false;
  Workers spare;  ///< one at most: a thread that waits for the next client
  Workers open;
  Workers finished;  ///< ended by themselves; their threads are about to return
  Counters closed_counters;
  const Channel* first = nullptr;  ///< while it is open
  Facts first_facts;               ///< as they were at its end
  bool seen_one = false;
  std::thread acceptor;

  void report(const Error& error) const {
    if (on_error) {
      on_error(error);
    }
  }

  /// Asked by the listener before it spends anything on a client: whoever is admitted then has a thread. The listener
  /// turns the others away, and waits for none of them.
  Result<> room() {
    const std::lock_guard lock(mutex);
    if (open.size() >= options.most_clients) {
      return fail(Fault::busy,
                  fmt::format("the server is busy: it takes no more clients than {}", options.most_clients),
                  "try again later");
    }
    if (spare.empty()) {
      const auto made = spare.emplace(spare.end());
      try {
        made->thread = std::thread([this, made] { serve(made); });
      } catch (const std::system_error&) {  // the one way in which std::thread says that there are no more threads
        spare.erase(made);
        return fail(Fault::busy, "the server is busy: it can start no more threads", "try again later");
      }
    }
    return {};
  }

  void accept_all() {
    Gate gate = gate_of(options);
    gate.room = [this] { return room(); };
    gate.refused = [this](const Error& error) { report(error); };
    for (;;) {
      auto admitted = listener->accept(gate);
      if (admitted) {
        start(std::move(*admitted));
        continue;
      }
      if (admitted.error().fault == Fault::cancelled) {
        return;
      }
      if (!passes(admitted.error())) {
        give_up(admitted.error());
        return;
      }
      report(admitted.error());
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, kBreath, [&] { return stopping; })) {
        return;
      }
    }
  }

  void give_up(const Error& error) const {
    if (on_end) {
      on_end(error);
    } else {
      report(error);
    }
  }

  /// There is room() for it.
  void start(Admitted admitted) {
    const std::lock_guard lock(mutex);
    if (stopping) {
      admitted.channel->abort();  // its end would wait for the peer
      return;
    }
    if (!std::exchange(seen_one, true)) {
      first = admitted.channel.get();
    }
    Worker& connection = spare.front();
    connection.agreement = static_cast<const ServerHandshake&>(*admitted.admission).agreement();
    connection.channel = std::move(admitted.channel);
    open.splice(open.end(), spare);
    changed.notify_all();
  }

  /// False when the server ends before a client has come.
  bool await_client(Workers::iterator connection) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopping || connection->channel; });
    return connection->channel != nullptr;
  }

  /// Whatever waits for a peer, as the end of a channel may, is done without the mutex.
  void serve(Workers::iterator connection) {
    if (!await_client(connection)) {
      return;
    }
    {
      const auto files = make_service();
      const auto served = serve_connection(*connection->channel, *files, options, connection->agreement);
      if (!served && served.error().fault != Fault::cancelled) {
        report(served.error());
      }
    }
    end(connection);
    Workers reaped;
    {
      const std::lock_guard lock(mutex);
      if (stopping) {
        return;  // stop() joins what is in `open`
      }
      reaped.swap(finished);
      finished.splice(finished.end(), open, connection);
    }
    join(reaped);
  }

  /// Ending a channel may wait for its peer: nobody else may have to wait for that.
  void end(Workers::iterator connection) {
    std::unique_ptr<Channel> ended;  // outlives the lock
    const std::lock_guard lock(mutex);
    for (const auto& [name, count] : connection->channel->counters()) {
      closed_counters[name] += count;
    }
    if (connection->channel.get() == first) {
      first_facts = first->facts();
      first = nullptr;
    }
    ended.swap(connection->channel);
  }

  static void join(Workers& connections) {
    for (Worker& connection : connections) {
      connection.thread.join();
    }
    connections.clear();
  }
};

Gate gate_of(const ServerOptions& options) {
  return {.admission = [&options] { return std::make_unique<ServerHandshake>(options, random_nonce()); },
          .most_strangers = options.most_strangers,
          .patience = options.patience};
}

Server::Server(std::unique_ptr<Listener> listener, std::function<std::unique_ptr<FileService>()> make_service,
               ServerOptions options, std::function<void(const Error&)> on_error,
               std::function<void(const Error&)> on_end)
    : state_(std::make_unique<State>()) {
  state_->listener = std::move(listener);
  state_->make_service = std::move(make_service);
  state_->options = std::move(options);
  state_->on_error = std::move(on_error);
  state_->on_end = std::move(on_end);
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
  state_->changed.notify_all();
  state_->listener->abort();
  state_->acceptor.join();
  // Nothing is added or moved any more: the threads see `stopping`.
  State::join(state_->spare);
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
  return state_->first != nullptr ? state_->first->facts() : state_->first_facts;
}

}  // namespace waggle::protocol
