// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/congestion.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "datapaths/packet/transport/cubic.hpp"
#include "datapaths/packet/transport/fixed.hpp"

namespace waggle::packet {
namespace {

constexpr std::string_view kFixed = "fixed:";
constexpr double kMostRate = 1e13;                               // bit/s
constexpr std::uint64_t kMostWindow = std::uint64_t{64} << 30U;  // bytes

Result<std::unique_ptr<CongestionControl>> make_fixed(std::string_view amount, std::uint32_t packet) {
  if (amount.find("bit") != std::string_view::npos || amount.find("Bit") != std::string_view::npos) {
    WAGGLE_LET(rate, parse_rate(amount));
    if (rate < 8 || rate > kMostRate) {
      return fail(Fault::usage, fmt::format("cannot send at a fixed rate of {}", amount),
                  "give a rate like fixed:10Gbit");
    }
    return std::make_unique<Fixed>(0, static_cast<std::uint64_t>(rate / 8), packet);
  }
  WAGGLE_LET(window, parse_size(amount));
  if (window == 0 || window > kMostWindow) {
    return fail(Fault::usage, fmt::format("cannot use a fixed window of {}", amount), "give a size like fixed:4MiB");
  }
  return std::make_unique<Fixed>(window, 0, packet);
}

}  // namespace

Result<std::unique_ptr<CongestionControl>> make_congestion(std::string_view name, std::uint32_t packet) {
  if (name == "cubic") {
    return std::make_unique<Cubic>(packet);
  }
  if (name.starts_with(kFixed)) {
    return make_fixed(name.substr(kFixed.size()), packet);
  }
  return fail(Fault::usage, fmt::format("packet datapaths have no congestion control \"{}\"", name),
              "choose cubic, fixed:WINDOW (fixed:4MiB) or fixed:RATE (fixed:10Gbit)");
}

}  // namespace waggle::packet
