// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <list>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>

#include "datapaths/datapath.hpp"
#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {

/// The connections of a host whose peers have proven their address and nothing else, in the order in which they came.
/// Nothing here takes longer than the logarithm of their number.
class Strangers {
 public:
  struct Stranger {
    Connection* connection = nullptr;
    Time since = 0;
    std::unique_ptr<Admission> admission;  ///< whoever asks the strangers in puts it here
    bool turned_away = false;              ///< only says goodbye

   private:
    friend class Strangers;
    std::uint64_t number = 0;
    bool knocking = false;
    std::list<Stranger>::iterator self;
    std::list<Stranger*>::iterator among;  // those of its address
    std::list<Stranger*>::iterator knock;  // while it does
  };

  Strangers() = default;
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  /// It knocks at once.
  Stranger& add(Connection& connection, Time now);
  void remove(Stranger& stranger);
  /// No admission for it: it has its place until it is gone.
  void turn_away(Stranger& stranger);

  std::size_t size() const { return waiting_.size() + leaving_.size(); }
  /// The first of those who wait, or nullptr.
  Stranger* oldest() { return waiting_.empty() ? nullptr : &waiting_.front(); }
  /// Who goes when there are too many: the oldest of the address that has most of them.
  Stranger& least_missed();

  /// Something has come from it, or happened to it.
  void knock(Stranger& stranger);
  bool knocking() const { return !knocking_.empty(); }
  std::uint64_t knocks() const { return knocks_; }  ///< so far
  /// Takes the next one who knocks and still waits; nullptr without any.
  Stranger* answer();

 private:
  using Address = std::uint32_t;
  using Rank = std::tuple<std::size_t, std::uint64_t, Address>;  // how many, and how late the oldest came, negated
  Rank rank(Address address) const;
  void quiet(Stranger& stranger);

  std::list<Stranger> waiting_;
  std::list<Stranger> leaving_;
  std::unordered_map<Address, std::list<Stranger*>> by_address_;  // never empty ones
  std::set<Rank> ranks_;
  std::list<Stranger*> knocking_;
  std::uint64_t knocks_ = 0;
  std::uint64_t numbers_ = 0;
};

}  // namespace waggle::packet
