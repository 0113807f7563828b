// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "datapaths/packet/simulated/testing/scenario.hpp"

namespace waggle::packet::testing {
namespace {

constexpr std::uint64_t kLargest = 65'535;  // bytes of a packet

std::uint64_t key(const Peer& peer) {
  return std::uint64_t{peer.ip} << 16U | peer.port;
}

}  // namespace

Watcher::Watcher(VirtualNetwork& network) {
  network.watch([this](const VirtualNetwork::Wire& wire) { see(wire); });
}

void Watcher::add(Connection& connection, const Peer& at) {
  ends_.push_back({.connection = &connection, .at = at});
}

void Watcher::remove(const Connection& connection) {
  ends_.remove_if([&](const End& end) { return end.connection == &connection; });
}

void Watcher::forget(const Peer& at) {
  ends_.remove_if([&](const End& end) { return end.at == at; });
  std::erase_if(streams_, [&](const auto& each) { return each.first.second == key(at); });
}

void Watcher::see(const VirtualNetwork::Wire& wire) {
  const auto header = read_header(wire.packet);
  must(header && intact(wire.packet), "a packet was sent that nobody can read");
  if (header->type == Type::retry || (header->type == Type::close && header->number == 0)) {
    return;  // answers without state
  }
  Stream& stream = streams_[{header->connection, key(wire.from)}];
  must(!stream.any || header->number > stream.last_number, "packet numbers do not increase");
  stream.any = true;
  stream.last_number = header->number;
  if (header->type == Type::ack) {
    see_ack(stream, wire.packet.subspan(kHeader));
  } else if (header->type == Type::message && (header->flags & kHasAck) != 0) {
    see_ack(stream, wire.packet.subspan(kMessageHeader));
  }
  if (header->type != Type::data && header->type != Type::message) {
    return;
  }
  for (End& end : ends_) {
    if (end.connection->id() == header->connection && end.at == wire.from) {
      must(header->number < end.connection->packet_limit() || end.slack > 0 ||
               end.connection->stats().probe_timeouts > end.timeouts,
           "a packet was sent beyond the peer's limit");
      must(wire.packet.size() <= end.connection->packet_size() || end.connection->packet_size() == MtuSearch::kBase,
           "a packet is larger than the path is known to take");
    }
  }
}

void Watcher::see_ack(Stream& stream, ByteView block) {
  const auto ack = read_ack(block);
  must(ack.has_value(), "an ACK was sent that nobody can read");
  must(ack->first.floor >= stream.floor, "the floor of the ACKs went back");
  must(ack->first.packet_limit >= stream.packet_limit, "the window's limit went back");
  stream.floor = ack->first.floor;
  stream.packet_limit = ack->first.packet_limit;
}

void Watcher::check() {
  for (End& end : ends_) {
    Connection& connection = *end.connection;
    const auto& stats = connection.stats();
    // Two packets per probe timeout may go beyond the window, and for every probe of the path MTU what counts of it.
    if (stats.probe_timeouts != end.timeouts || stats.mtu_probes != end.probes) {
      end.slack += (stats.probe_timeouts - end.timeouts) * 2 * kLargest +
                   (stats.mtu_probes - end.probes) * connection.packet_size();
      end.slack_until = stats.acks_received + 1;
    }
    end.timeouts = stats.probe_timeouts;
    end.probes = stats.mtu_probes;
    const std::uint64_t in_flight = connection.in_flight();
    must(in_flight <= std::max(connection.window(), end.in_flight) + end.slack + kHeader,
         "more bytes are in flight than the window allows");
    if (in_flight <= connection.window() && stats.acks_received >= end.slack_until) {
      end.slack = 0;
    }
    end.in_flight = in_flight;
    const std::uint64_t floor = connection.received_numbers().floor();
    must(floor >= end.floor, "a floor went back");
    end.floor = floor;
    must(in_flight <= std::uint64_t{Connection::kMostUnderWay} * kLargest, "more is under way than can be remembered");
  }
}

}  // namespace waggle::packet::testing
