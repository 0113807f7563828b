// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/dpdk/options.hpp"

/// The link "vhost": memory that two processes share by the vhost-user protocol (QEMU: docs/interop/vhost-user.rst).
/// One end is net_vhost, which copies into and out of the rings of the other, net_virtio_user. One socket leads to one
/// client: a listener that takes several has several.
namespace waggle::packet::dpdk {

/// There is nobody to ask for Ethernet addresses on such a link: they follow from the IPv4 address. The second byte,
/// here 0, is the number of the client.
std::array<std::uint8_t, 6> vhost_mac(std::uint32_t ip);

/// Path of the socket for client `number`.
std::string vhost_path(const std::string& base, std::uint16_t number);

/// "net_vhost0" and the like: name of the device for client `number`.
std::string vhost_device(const Options& options, std::uint16_t number);
/// Its arguments.
std::string vhost_arguments(const Options& options, const std::string& path, bool listens);

/// A place on the link, kept from others for as long as this lives or the process does.
class Place {
 public:
  /// The listener's; removes the sockets that a killed one has left, and at the end its own. Fault::busy when another
  /// listener is there.
  static Result<Place> of_listener(const std::string& base);
  /// A free one of a client. Fault::peer_gone when nobody listens, Fault::busy when all are taken.
  static Result<Place> of_client(const std::string& base);

  Place() = default;
  Place(Place&& other) noexcept;
  Place& operator=(Place&& other) noexcept;
  ~Place();

  std::uint16_t number() const { return number_; }  ///< a client's

 private:
  Place(std::uint16_t number, UniqueFd lock) : number_(number), lock_(std::move(lock)) {}
  std::string listens_at_;  ///< empty: a client
  std::uint16_t number_ = 0;
  UniqueFd lock_;
};

}  // namespace waggle::packet::dpdk
