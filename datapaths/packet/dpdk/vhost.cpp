// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/vhost.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

namespace waggle::packet::dpdk {
namespace {

/// Byte of the lock file that a listener holds; clients hold the byte of their number.
constexpr off_t kListenersByte = 1000;
constexpr std::uint16_t kMostClients = 64;

std::string lock_path(const std::string& base) {
  return base + ".lock";
}

/// An open file description's lock, which goes with the process (fcntl(2), F_OFD_SETLK).
bool lock_byte(int fd, off_t byte) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool is_socket(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

void remove_sockets(const std::string& base) {
  for (std::uint16_t number = 0; number < kMostClients; ++number) {
    if (const std::string path = vhost_path(base, number); is_socket(path)) {
      ::unlink(path.c_str());
    }
  }
}

Result<UniqueFd> open_lock(const std::string& base, int flags) {
  // Longest suffix: ".63". A comma would end the argument of the device.
  if (base.empty() || base.size() + 4 > sizeof(sockaddr_un::sun_path) || base.find(',') != std::string::npos) {
    return fail(Fault::usage, fmt::format("'{}' cannot be the path of a vhost-user socket", base),
                fmt::format("give a path of at most {} characters without a comma", sizeof(sockaddr_un::sun_path) - 4));
  }
  return UniqueFd(::open(lock_path(base).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
}

}  // namespace

std::array<std::uint8_t, 6> vhost_mac(std::uint32_t ip) {
  const auto byte = [ip](int shift) { return static_cast<std::uint8_t>(ip >> shift); };
  return {0x02, 0x00, byte(24), byte(16), byte(8), byte(0)};
}

std::string vhost_path(const std::string& base, std::uint16_t number) {
  return number == 0 ? base : fmt::format("{}.{}", base, number);
}

std::string vhost_device(const Options& options, std::uint16_t number) {
  return fmt::format("{}{}", options.vhost_here ? "net_vhost" : "net_virtio_user", number);
}

std::string vhost_arguments(const Options& options, const std::string& path, bool listens) {
  if (options.vhost_here) {
    return fmt::format("iface={},queues=1,client={},linear-buffer=1", path, listens ? 0 : 1);
  }
  // A frame fills one buffer, so buffers need not be merged.
  return fmt::format("path={},queues=1,queue_size={},server={},mrg_rxbuf=0,in_order=1,packed_vq={}", path,
                     options.rx_descriptors, listens ? 1 : 0, options.packed_ring ? 1 : 0);
}

Result<Place> Place::of_listener(const std::string& base) {
  WAGGLE_LET(lock, open_lock(base, O_CREAT));
  if (!lock) {
    return fail_errno(fmt::format("cannot make {}", lock_path(base)));
  }
  if (!lock_byte(lock.get(), kListenersByte)) {
    return fail(Fault::busy, fmt::format("another server listens on the vhost-user socket {}", base),
                "choose another path");
  }
  remove_sockets(base);
  Place place(0, std::move(lock));
  place.listens_at_ = base;
  return place;
}

Result<Place> Place::of_client(const std::string& base) {
  WAGGLE_LET(lock, open_lock(base, 0));
  std::uint16_t number = 0;
  for (; lock && number < kMostClients && is_socket(vhost_path(base, number)); ++number) {
    if (lock_byte(lock.get(), number)) {
      return Place(number, std::move(lock));
    }
  }
  if (number == 0) {
    return fail(Fault::peer_gone, fmt::format("nobody listens on the vhost-user socket {}", base),
                "start the server first");
  }
  return fail(Fault::busy, fmt::format("the server takes {} clients on {}, and all are there", number, base),
              "start it with a larger dpdk.clients");
}

Place::Place(Place&& other) noexcept
    : listens_at_(std::exchange(other.listens_at_, {})), number_(other.number_), lock_(std::move(other.lock_)) {}

Place& Place::operator=(Place&& other) noexcept {
  std::swap(listens_at_, other.listens_at_);
  std::swap(number_, other.number_);
  std::swap(lock_, other.lock_);
  return *this;
}

Place::~Place() {
  if (!listens_at_.empty()) {
    remove_sockets(listens_at_);
    ::unlink(lock_path(listens_at_).c_str());
  }
}

}  // namespace waggle::packet::dpdk
