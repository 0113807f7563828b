// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/device_set.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>

#include "base/mode.hpp"

namespace waggle::packet::dpdk {
namespace {

/// Milliseconds.
constexpr int kMostKnocks = 1'000;

/// How often a device is opened whose client has gone again, and after which pause.
constexpr int kMostOpenings = 100;
constexpr std::chrono::milliseconds kPause{20};

/// Ends the wait of a net_virtio_user for its client.
void knock(const std::string& path) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  (void)::connect(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at);
}

}  // namespace

DeviceSet::DeviceSet(std::vector<DeviceName> names, const Options& options, rte_mempool* pool)
    : names_(std::move(names)),
      options_(options),
      pool_(pool),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      sleeps_(options.interrupts) {
  devices_.reserve(names_.size());
  stash_.reserve(kMostBurst);
}

Result<DeviceSet::Owner> DeviceSet::open(std::vector<DeviceName> names, const Options& options, rte_mempool* pool) {
  Owner set(new DeviceSet(std::move(names), options, pool));
  // Never read, as those of the drivers: only an edge means something.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = set->news_.get()}};
  if (!set->epoll_ || !set->news_ || ::epoll_ctl(set->epoll_.get(), EPOLL_CTL_ADD, set->news_.get(), &event) != 0) {
    return fail_errno("cannot make an epoll and an event descriptor");
  }
  if (!set->names_.front().socket.empty()) {
    set->opener_ = std::thread([raw = set.get()] { raw->open_in_turn(); });
    return set;
  }
  for (const DeviceName& name : set->names_) {
    WAGGLE_TRY(set->add(name));
  }
  return set;
}

/// Whoever comes to the socket of a device and goes again makes its opening fail. The next one finds it open again;
/// what fails so often in a row has reasons of its own.
Result<std::unique_ptr<Device>> DeviceSet::open_device(const DeviceName& name) const {
  for (int openings = 1;; ++openings) {
    auto device = Device::open(name.bus, name.name, name.arguments, options_, pool_);
    if (device || name.socket.empty() || closing_ || openings == kMostOpenings) {
      return device;
    }
    ::unlink(name.socket.c_str());  // what the failed one may have left
    std::this_thread::sleep_for(kPause);
  }
}

Result<> DeviceSet::add(const DeviceName& name) {
  WAGGLE_LET(device, open_device(name));
  const bool tells = device->wait_fd() >= 0;
  WAGGLE_TRY(grant({"wait", options_.interrupts ? "interrupt" : "poll", tells ? "interrupt" : "poll"},
                   options_.allow_fallback, "choose dpdk.wait=poll"));
  WAGGLE_TRY(
      grant({"checksum offload", options_.checksum_offload ? "on" : "off", device->checksum_offload() ? "on" : "off"},
            options_.allow_fallback, "leave out dpdk.checksum_offload"));
  if (tells) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = device->wait_fd()}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, device->wait_fd(), &event) != 0) {
      return fail_errno("cannot watch DPDK's interrupts");
    }
  } else {
    sleeps_ = false;
  }
  devices_.push_back(std::move(device));
  ready_.store(devices_.size(), std::memory_order_release);
  return {};
}

void DeviceSet::open_in_turn() {
  open_each();
  opened_.store(true, std::memory_order_release);
}

void DeviceSet::open_each() {
  for (const DeviceName& name : names_) {
    auto added = add(name);
    if (closing_) {
      return;
    }
    if (!added) {
      const std::lock_guard lock(mutex_);
      trouble_ = added.error();
      troubled_ = true;
      tell();
      return;
    }
    tell();
  }
}

DeviceSet::~DeviceSet() {
  for (rte_mbuf* mbuf : stash_) {
    rte_pktmbuf_free(mbuf);
  }
}

void DeviceSet::close(std::unique_ptr<DeviceSet> set) {
  set->closing_ = true;
  // The opener may only be about to listen: knock until it has heard.
  for (int knocks = 0; set->opener_.joinable(); ++knocks) {
    if (set->opened_.load(std::memory_order_acquire)) {
      set->opener_.join();
      return;
    }
    for (std::size_t at = set->size(); at < set->names_.size(); ++at) {
      knock(set->names_[at].socket);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (knocks == kMostKnocks) {
      // Somebody has removed the socket, and nothing reaches it any more. It must not be taken away under its thread.
      set->opener_.detach();
      static_cast<void>(set.release());
      return;
    }
  }
}

Result<> DeviceSet::trouble() const {
  if (!troubled_.load(std::memory_order_relaxed)) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  return std::unexpected(*trouble_);
}

bool DeviceSet::arm() {
  // What was told before has been polled since.
  std::array<epoll_event, 64> told;
  static_cast<void>(::epoll_wait(epoll_.get(), told.data(), static_cast<int>(told.size()), 0));
  for (armed_ = 0; armed_ < size(); ++armed_) {
    devices_[armed_]->arm();
  }
  // What came before the interrupt was on is not told.
  std::array<rte_mbuf*, kMostBurst> mbufs;
  for (std::size_t at = 0; at < armed_; ++at) {
    const std::size_t got = devices_[at]->receive({mbufs.data(), kMostBurst - stash_.size()});
    stash_.insert(stash_.end(), mbufs.begin(), mbufs.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return stash_.empty();
}

void DeviceSet::disarm() {
  for (; armed_ > 0; --armed_) {
    devices_[armed_ - 1]->disarm();
  }
}

/// The next sleep ends, or the present one.
void DeviceSet::tell() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(news_.get(), &one, sizeof one));
}

}  // namespace waggle::packet::dpdk
