// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/strangers.hpp"

namespace waggle::packet {

Strangers::Rank Strangers::rank(Address address) const {
  const auto& members = by_address_.at(address);
  return {members.size(), ~members.front()->number, address};
}

Strangers::Stranger& Strangers::add(Connection& connection, Time now) {
  Stranger& stranger = waiting_.emplace_back();
  stranger.connection = &connection;
  stranger.since = now;
  stranger.number = numbers_++;
  stranger.self = std::prev(waiting_.end());
  const Address address = connection.peer().ip;
  auto& members = by_address_[address];
  if (!members.empty()) {
    ranks_.erase(rank(address));
  }
  stranger.among = members.insert(members.end(), &stranger);
  ranks_.insert(rank(address));
  knock(stranger);
  return stranger;
}

void Strangers::remove(Stranger& stranger) {
  quiet(stranger);
  const Address address = stranger.connection->peer().ip;
  const auto members = by_address_.find(address);
  ranks_.erase(rank(address));
  members->second.erase(stranger.among);
  if (members->second.empty()) {
    by_address_.erase(members);
  } else {
    ranks_.insert(rank(address));
  }
  (stranger.turned_away ? leaving_ : waiting_).erase(stranger.self);
}

void Strangers::turn_away(Stranger& stranger) {
  if (!stranger.turned_away) {
    quiet(stranger);
    stranger.turned_away = true;
    stranger.admission.reset();
    leaving_.splice(leaving_.end(), waiting_, stranger.self);
  }
}

Strangers::Stranger& Strangers::least_missed() {
  return *by_address_.at(std::get<Address>(*ranks_.rbegin())).front();
}

void Strangers::knock(Stranger& stranger) {
  if (!stranger.knocking && !stranger.turned_away) {
    stranger.knocking = true;
    stranger.knock = knocking_.insert(knocking_.end(), &stranger);
    ++knocks_;
  }
}

void Strangers::quiet(Stranger& stranger) {
  if (stranger.knocking) {
    stranger.knocking = false;
    knocking_.erase(stranger.knock);
  }
}

Strangers::Stranger* Strangers::answer() {
  if (knocking_.empty()) {
    return nullptr;
  }
  Stranger& stranger = *knocking_.front();
  quiet(stranger);
  return &stranger;
}

}  // namespace waggle::packet
