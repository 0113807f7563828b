// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

std::string default_receiver(const std::string& sender) {
  const auto datapath = find_datapath(sender);
  return datapath && (*datapath)->carrier() == Carrier::packet ? sender : "read_write";
}

std::string Pair::label() const {
  return receiver.empty() || receiver == default_receiver(sender) ? sender : sender + "+" + receiver;
}

}  // namespace waggle::experiment
