// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <vector>

#include "datapaths/packet/host.hpp"

namespace waggle::packet {

/// Hears what the strangers of a host say, and admits or turns them away as a gate tells. Never waits; to be used under
/// the lock of the host's driver.
class Reception {
 public:
  explicit Reception(Host& host) : host_(&host) {}

  struct Guest {
    Connection* connection = nullptr;
    std::unique_ptr<Admission> admission;
  };
  /// The next one who is let in, if any of those who knocked is. `room` is what the gate has said about that.
  std::optional<Guest> next(const Gate& gate, const Result<>& room, Time now);
  /// When somebody's time will be over, in ns.
  Time deadline(const Gate& gate) const;
  /// Why strangers were turned away since this was asked last.
  std::vector<Error> turned_away() { return std::exchange(turned_away_, {}); }

 private:
  using Stranger = Strangers::Stranger;
  bool hear(Stranger& stranger, const Result<>& room, Time now);
  void dismiss(Stranger& stranger, ByteView message, const Error& why, Time now);

  Host* host_;
  std::vector<Error> turned_away_;
};

}  // namespace waggle::packet
