// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/host.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/copy_meter.hpp"

namespace waggle::packet {
namespace {

constexpr std::size_t kReadBack = 64 * 1024;

}  // namespace

Host::Host(std::unique_ptr<Port> port, HostOptions options)
    : port_(std::move(port)),
      options_(std::move(options)),
      capabilities_(port_->capabilities()),
      staging_(options_.staging),
      reader_(options_.read) {
  options_.burst = std::clamp<std::uint32_t>(std::min(options_.burst, capabilities_.burst), 1, kMostBurst);
  if (options_.window == 0) {
    options_.window = capabilities_.rx_capacity;
  }
  pieces_.reserve(kMostBurst);
}

Host::~Host() {
  port_->give_back(std::span(out_).first(built_));
  port_->give_back(std::span(leased_).subspan(leased_next_, leased_end_ - leased_next_));
}

void Host::touch(Entry& entry) {
  if (entry.touched != pumps_) {
    entry.touched = pumps_;
    if (entry.waiter != nullptr) {
      roused_.push_back(entry.waiter);
    }
    if (entry.stranger != nullptr) [[unlikely]] {
      strangers_.knock(*entry.stranger);
    }
  }
}

void Host::make_ready(Entry& entry) {
  if (!entry.ready) {
    entry.ready = true;
    ready_.push(entry);
  }
}

void Host::ReadyQueue::push(Entry& entry) {
  entry.next_ready = nullptr;
  (empty() ? first : last->next_ready) = &entry;
  last = &entry;
}

Host::Entry& Host::ReadyQueue::pop() {
  return *std::exchange(first, first->next_ready);
}

/// Moves the node of the map, which allocates nothing.
void Host::set_timer(Entry& entry, Time at) {
  if (entry.timer->first != at) {
    auto node = timers_.extract(entry.timer);
    node.key() = at;
    entry.timer = timers_.insert(std::move(node));
  }
}

Host::Entry& Host::add(std::uint64_t id, std::unique_ptr<Connection> connection) {
  Entry& entry = connections_[id];
  entry.connection = std::move(connection);
  entry.timer = timers_.emplace(entry.connection->deadline(), &entry);
  make_ready(entry);
  return entry;
}

/// What is in ready_ must not be removed.
void Host::remove(Entry& entry) {
  if (latest_ == &entry) {
    latest_ = nullptr;
  }
  if (entry.stranger != nullptr) {
    strangers_.remove(*entry.stranger);
  }
  timers_.erase(entry.timer);
  const std::uint64_t id = entry.connection->id();
  closed_[closed_next_++ % closed_.size()] = {id, entry.connection->close_code()};
  connections_.erase(id);
}

void Host::wake(Connection& connection) {
  make_ready(connections_.at(connection.id()));
}

void Host::attach(Connection& connection, Waiter& waiter) {
  connections_.at(connection.id()).waiter = &waiter;
}

Time Host::deadline() const {
  // Frames that were built go as soon as the port has room for them.
  if (built_ > 0 || !ready_.empty()) {
    return 0;
  }
  return timers_.empty() ? kNever : timers_.begin()->first;
}

Result<bool> Host::pump(Time now) {
  ++pumps_;
  roused_.clear();
  WAGGLE_LET(received, receive(now));
  timers(now);
  WAGGLE_LET(sent, transmit(now, true));
  return received || sent;
}

Result<bool> Host::receive(Time now) {
  WAGGLE_LET(count, port_->poll(std::span(rx_).first(options_.burst)));
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 1 < count) {
      __builtin_prefetch(rx_[i + 1].packet);
    }
    dispatch(now, rx_[i]);
  }
  if (count > 0) {
    digest_run();
    writer_.flush();
    port_->release(std::span(rx_).first(count));
  }
  return count > 0;
}

void Host::dispatch(Time now, const RxFrame& frame) {
  const ByteView packet(frame.packet, frame.length);
  const auto header = read_header(packet);
  if (!header || !intact(packet)) {
    ++stats_.bad_packets;
    return;
  }
  if (header->connection != latest_id_ || latest_ == nullptr) [[unlikely]] {
    const auto found = connections_.find(header->connection);
    if (found == connections_.end()) {
      on_stranger(now, *header, frame);
      return;
    }
    latest_ = &found->second;
    latest_id_ = header->connection;
  }
  Connection& connection = *latest_->connection;
  if (!(frame.from == connection.peer())) {
    ++stats_.strange_addresses;  // a connection does not move
    return;
  }
  // The rest, which there hardly ever is, has a place of its own: moving an empty one over the first stalls the load.
  if (const auto placement = connection.on_packet(now, *header, packet)) {
    place(connection, placement);
    for (auto rest = connection.rest_of(placement); rest; rest = connection.rest_of(rest)) {
      place(connection, rest);
    }
  }
  touch(*latest_);
  make_ready(*latest_);
}

void Host::place(Connection& connection, const Placement& placement, bool lent) {
  Inbound& extent = *placement.extent;
  const Incoming& incoming = extent.incoming();
  switch (incoming.sink) {
    case Incoming::Sink::file: writer_.write(extent, placement.offset, placement.payload); break;
    case Incoming::Sink::view: copy_payload(extent.place_at(placement.offset), placement.payload); break;
    case Incoming::Sink::discard: break;
  }
  if (placement.fresh > 0) {
    if (incoming.digest != nullptr) {
      digest(extent, placement.payload.last(placement.fresh));
      if (lent) {
        digest_run();
      }
    }
    advance(connection, extent);
  }
}

/// Digests go over whole bursts, while the bytes are still in the cache.
void Host::digest(Inbound& extent, ByteView bytes) {
  if (run_count_ == run_.size() || run_extent_ != &extent) {
    digest_run();
  }
  run_extent_ = &extent;
  run_[run_count_++] = bytes;
}

void Host::digest_run() {
  if (run_count_ > 0) {
    run_extent_->digester().update(std::span<const ByteView>(run_).first(run_count_));
    run_count_ = 0;
  }
}

/// The frontier has moved up to bytes that came earlier: they continue the digest now.
void Host::advance(Connection& connection, Inbound& extent) {
  const Incoming& incoming = extent.incoming();
  if (incoming.sink == Incoming::Sink::discard) {
    while (const auto staged = connection.next_staged(extent)) {
      if (incoming.digest != nullptr) {
        digest_run();  // first what came before
        extent.digester().update(staged.payload.last(staged.fresh));
      }
    }
    return;
  }
  const std::uint64_t end = extent.reached();
  if (end == extent.frontier()) {
    return;
  }
  if (incoming.sink == Incoming::Sink::file && incoming.digest != nullptr) {
    digest_run();
    writer_.flush();
    again_.resize(kReadBack);
    while (extent.frontier() < end && extent.sink()) {
      const auto got =
          ::pread(incoming.file.get(), again_.data(), std::min<std::uint64_t>(kReadBack, end - extent.frontier()),
                  static_cast<off_t>(incoming.id.offset + extent.frontier()));
      if (got <= 0) {
        if (got < 0 && errno == EINTR) {
          continue;
        }
        extent.sink_failed(fail_errno("cannot read back what was written", got < 0 ? errno : EIO).error());
        break;
      }
      extent.digester().update(ByteView(again_).first(static_cast<std::size_t>(got)));
      stats_.read_back += static_cast<std::uint64_t>(got);
      extent.advance(extent.frontier() + static_cast<std::uint64_t>(got));
    }
  }
  if (incoming.sink == Incoming::Sink::view && incoming.digest != nullptr) {
    digest_run();
    extent.digester().update(extent.view().subspan(extent.frontier(), end - extent.frontier()));
  }
  extent.advance(end);
}

void Host::place_staged(Connection& connection, Inbound& extent) {
  while (auto staged = connection.next_staged(extent)) {
    for (; staged; staged = connection.rest_of(staged)) {
      place(connection, staged, true);
    }
    writer_.flush();  // the bytes are on loan until the next piece
  }
}

void Host::timers(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Entry& entry = *timers_.begin()->second;
    Connection& connection = *entry.connection;
    if (connection.deadline() <= now) {
      connection.on_timer(now);
      touch(entry);
      make_ready(entry);
    }
    // What is still due is for transmit(). While the port is full, timers go on to go off, once in every pump.
    set_timer(entry, std::max(connection.deadline(), now + 1));
  }
}

void Host::forget(Connection& connection, Time now) {
  Entry& entry = connections_.at(connection.id());
  std::erase(roused_, entry.waiter);
  entry.waiter = nullptr;
  --users_;
  connection.end_receiving();
  connection.close(now);
  leave(entry);
}

/// transmit() removes it when it has said goodbye.
void Host::leave(Entry& entry) {
  entry.forgotten = true;
  make_ready(entry);
}

}  // namespace waggle::packet
