// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/bad_link.hpp"

#include <cmath>
#include <utility>

#include "datapaths/xdp/impair.hpp"
#include "harness/topology/netlink.hpp"

namespace waggle::topology {
namespace {

constexpr const char* kToServer = "to-server";
constexpr const char* kToClient = "to-client";

std::uint32_t per_mille(double share) {
  return static_cast<std::uint32_t>(std::lround(share * 1000));
}

class Middle final : public BadLink {
 public:
  Middle(std::unique_ptr<NetworkNamespace> where, xdp::Impairment impairment)
      : where_(std::move(where)), impairment_(std::move(impairment)) {}

 private:
  std::unique_ptr<NetworkNamespace> where_;
  xdp::Impairment impairment_;
};

}  // namespace

Result<std::unique_ptr<BadLink>> BadLink::join(std::unique_ptr<NetworkNamespace> middle, const NetworkNamespace& server,
                                               const NetworkNamespace& client, const std::string& device,
                                               std::uint32_t mtu, std::uint32_t queues, const Badness& badness) {
  for (const auto& [end, name] : {std::pair{&server, kToServer}, {&client, kToClient}}) {
    WAGGLE_LET(at_end, Netlink::open(*end));
    WAGGLE_TRY(at_end.add_veth(device, *middle, mtu, queues, name));
  }
  WAGGLE_LET(at_middle, Netlink::open(*middle));
  WAGGLE_TRY(at_middle.set_up(kToServer));
  WAGGLE_TRY(at_middle.set_up(kToClient));
  std::unique_ptr<xdp::Impairment> made;
  WAGGLE_TRY(middle->inside([&]() -> Result<> {
    WAGGLE_LET(impairment,
               xdp::Impairment::attach(
                   kToClient, kToServer,
                   {.loss = per_mille(badness.loss), .reorder = per_mille(badness.reorder), .seed = badness.seed}));
    made = std::make_unique<xdp::Impairment>(std::move(impairment));
    return {};
  }));
  return std::make_unique<Middle>(std::move(middle), std::move(*made));
}

}  // namespace waggle::topology
