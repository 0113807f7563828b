// SPDX-License-Identifier: BSD-2-Clause
/// What the rings of AF_XDP over a veth can carry at all: frames one way, no protocol, nothing acknowledged. With
/// --payload=copy the sender copies payload in from a mapped file and the receiver checksums it, which is the least
/// that a transfer of a file must do; with --payload=none nobody touches it.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "datapaths/packet/afxdp/program.hpp"
#include "datapaths/packet/afxdp/queue.hpp"
#include "datapaths/packet/frame.hpp"
#include "datapaths/packet/route.hpp"
#include "datapaths/packet/transport/crc32c.hpp"
#include "harness/topology/link.hpp"
#include "tests/perf/loop_record.hpp"

using namespace waggle;
using namespace waggle::packet;

namespace {

struct Options {
  std::uint32_t mtu = 1500;
  std::string payload = "copy";
  std::string napi = "softirq";
  std::string wait = "spin";
  double seconds = 2;
  unsigned runs = 5;
  std::uint32_t burst = 64;
  std::uint32_t rx_ring = 2048;
  std::uint32_t tx_ring = 256;
  std::string mode = "native";
};

constexpr std::size_t kContent = 64 << 20;
constexpr auto kHeader = static_cast<std::uint32_t>(kDataHeader);
constexpr std::uint32_t kOffset = 512 - kHeader;

struct End {
  Interface interface;
  Station station;
  std::unique_ptr<Queue> queue;
  std::optional<RedirectProgram> program;
};

Result<End> open_end(const Options& options, const std::string& address) {
  End end;
  WAGGLE_LET(ip, ipv4_of(address));
  WAGGLE_LET(route, interface_of(ip));
  end.interface = route.interface;
  end.station = {route.interface.mac, ip, 4433};
  QueueOptions queue;
  queue.interface = route.interface.name;
  queue.chunk = options.mtu <= 1600 ? 2048 : 4096;
  queue.rx_frames = options.rx_ring;
  queue.tx_frames = options.tx_ring;
  queue.busy_poll = options.napi == "busy" || options.napi == "deferred" ? 20 : 0;
  WAGGLE_LET(opened, Queue::open(queue, {}));
  end.queue = std::move(opened);
  WAGGLE_LET(program, RedirectProgram::attach(route.interface, end.station, options.mode, false));
  end.program.emplace(std::move(program));
  WAGGLE_TRY(end.program->add(0, end.queue->fd()));
  return end;
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// A file of its own in memory, mapped: what a sender that maps its file copies from.
std::byte* map_content() {
  const UniqueFd file(::memfd_create("content", MFD_CLOEXEC));
  void* at = MAP_FAILED;
  if (::ftruncate(file.get(), kContent) == 0) {
    at = ::mmap(nullptr, kContent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.get(), 0);
  }
  if (at == MAP_FAILED) {
    std::perror("cannot map the content");
    std::exit(1);
  }
  std::memset(at, 'w', kContent);
  return static_cast<std::byte*>(at);
}

struct Counts {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> kicks{0};
  std::atomic<std::uint64_t> sender_ns{0};  ///< CPU time
  std::atomic<std::uint64_t> receiver_ns{0};
};

std::uint64_t thread_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// Holds interrupts of the device back, so that the receiver's system calls do its work. sysfs shows the devices of the
/// namespace in which it was mounted.
Result<> defer_interrupts(const topology::Link& link) {
  return link.server().inside([&]() -> Result<> {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("waggle", "/sys", "sysfs", 0, nullptr) != 0) {
      return fail_errno("cannot look at the devices of a namespace");
    }
    const std::string device = "/sys/class/net/" + link.device();
    std::ofstream(device + "/napi_defer_hard_irqs") << 2;
    std::ofstream(device + "/gro_flush_timeout") << 200000;
    return {};
  });
}

void send_loop(End& end, const Peer& to, const Options& options, Counts& counts) {
  pin(0);
  const std::byte* content = options.payload == "copy" ? map_content() : nullptr;
  Queue& queue = *end.queue;
  const std::uint32_t packet = options.mtu - 28;
  const std::uint32_t payload = packet - kHeader;
  std::vector<std::uint64_t> free;
  // Not all: a veth has room for 240 frames (see leasable() in queue_port.cpp).
  for (std::uint64_t index = 0; index < options.tx_ring - options.tx_ring / 8; ++index) {
    write_headers(queue.at(index * queue.chunk()) + kOffset, packet, end.station, to, UdpChecksum::none);
    free.push_back(index * queue.chunk());
  }
  std::size_t from = 0;
  while (!counts.stop.load(std::memory_order_relaxed)) {
    std::uint32_t at = 0;
    const std::uint32_t back = xsk_ring_cons__peek(&queue.completion, options.tx_ring, &at);
    for (std::uint32_t index = 0; index < back; ++index) {
      free.push_back(*xsk_ring_cons__comp_addr(&queue.completion, at + index) & ~std::uint64_t{queue.chunk() - 1});
    }
    xsk_ring_cons__release(&queue.completion, back);
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(free.size(), options.burst));
    if (xsk_ring_prod__reserve(&queue.tx, count, &at) != count || count == 0) {
      ::sendto(queue.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0);
      continue;
    }
    for (std::uint32_t index = 0; index < count; ++index) {
      const std::uint64_t chunk = free.back();
      free.pop_back();
      if (content != nullptr) {
        std::memcpy(queue.at(chunk) + 512, content + from, payload);
        from = from + 2 * payload <= kContent ? from + payload : 0;
      }
      *xsk_ring_prod__tx_desc(&queue.tx, at + index) = {chunk + kOffset - kFrameHeaders, packet + 42, 0};
    }
    xsk_ring_prod__submit(&queue.tx, count);
    while (__atomic_load_n(queue.tx.consumer, __ATOMIC_ACQUIRE) != *queue.tx.producer &&
           !counts.stop.load(std::memory_order_relaxed)) {
      ::sendto(queue.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0);
      counts.kicks.fetch_add(1, std::memory_order_relaxed);
    }
    counts.sender_ns.store(thread_ns(), std::memory_order_relaxed);
    counts.sent.fetch_add(count, std::memory_order_relaxed);
  }
}

void receive_loop(End& end, const Options& options, Counts& counts) {
  pin(1);
  Queue& queue = *end.queue;
  const bool touch = options.payload == "copy";
  std::uint32_t checksum = 0;
  while (!counts.stop.load(std::memory_order_relaxed)) {
    std::uint32_t at = 0;
    const std::uint32_t count = xsk_ring_cons__peek(&queue.rx, options.burst, &at);
    if (count == 0) {
      if (options.napi == "busy" || options.napi == "deferred") {
        ::recvfrom(queue.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
      } else if (options.wait == "sleep") {
        pollfd ready{queue.fd(), POLLIN, 0};
        ::poll(&ready, 1, 100);
      } else if (options.wait == "nap") {
        const timespec moment{0, 30'000};
        ::nanosleep(&moment, nullptr);
      } else if (options.wait == "yield") {
        ::sched_yield();
      }
      continue;
    }
    std::uint32_t to = 0;
    xsk_ring_prod__reserve(&queue.fill, count, &to);
    std::uint64_t bytes = 0;
    for (std::uint32_t index = 0; index < count; ++index) {
      const xdp_desc& descriptor = *xsk_ring_cons__rx_desc(&queue.rx, at + index);
      const std::uint32_t payload = descriptor.len - 42 - kHeader;
      if (touch) {
        checksum = crc32c(checksum, {queue.at(descriptor.addr) + 42 + kDataHeader, payload});
      }
      bytes += payload;
      *xsk_ring_prod__fill_addr(&queue.fill, to + index) = descriptor.addr & ~std::uint64_t{queue.chunk() - 1};
    }
    xsk_ring_cons__release(&queue.rx, count);
    xsk_ring_prod__submit(&queue.fill, count);
    counts.bytes.fetch_add(bytes, std::memory_order_relaxed);
    counts.receiver_ns.store(thread_ns(), std::memory_order_relaxed);
    counts.frames.fetch_add(count, std::memory_order_relaxed);
  }
  if (checksum == 1) {  // keeps the compiler from leaving the work out
    std::puts("");
  }
}

Result<double> run(const Options& options) {
  WAGGLE_LET(link, topology::Link::create({.kind = "veth", .mtu = options.mtu}));
  const Napi napi = options.napi == "threaded" ? Napi::threaded : Napi::softirq;
  WAGGLE_TRY(link.set_napi(topology::Link::End::server, napi));
  if (options.napi == "deferred") {
    WAGGLE_TRY(defer_interrupts(link));
  }
  End receiver;
  End sender;
  WAGGLE_TRY(link.server().inside([&]() -> Result<> {
    WAGGLE_LET(end, open_end(options, link.server_address()));
    receiver = std::move(end);
    return {};
  }));
  WAGGLE_TRY(link.client().inside([&]() -> Result<> {
    WAGGLE_LET(end, open_end(options, link.client_address()));
    sender = std::move(end);
    return {};
  }));
  if (napi == Napi::threaded) {
    WAGGLE_TRY(link.pin_napi(topology::Link::End::server, 1));
  }
  const Peer to{receiver.station.ip, receiver.station.port, receiver.station.mac};
  Counts counts;
  std::thread receives([&] { receive_loop(receiver, options, counts); });
  std::thread sends([&] { send_loop(sender, to, options, counts); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::uint64_t bytes = counts.bytes;
  const std::uint64_t frames = counts.frames;
  const std::uint64_t sent = counts.sent;
  const std::uint64_t kicks = counts.kicks;
  const std::uint64_t sender_ns = counts.sender_ns;
  const std::uint64_t receiver_ns = counts.receiver_ns;
  const std::uint64_t before = now_ns();
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
  const double elapsed = static_cast<double>(now_ns() - before);
  const double gbit = static_cast<double>(counts.bytes - bytes) * 8 / elapsed;
  const double lost =
      100.0 * (1.0 - static_cast<double>(counts.frames - frames) / static_cast<double>(counts.sent - sent));
  std::fprintf(stderr, "  %.2f Gbit/s, %.0f kframes/s, %.1f %% of %lu lost, %lu kicks, CPU ns per frame %.0f + %.0f\n",
               gbit, static_cast<double>(counts.frames - frames) * 1e6 / elapsed, lost,
               static_cast<unsigned long>(counts.sent - sent), static_cast<unsigned long>(counts.kicks - kicks),
               static_cast<double>(counts.sender_ns - sender_ns) / static_cast<double>(counts.sent - sent),
               static_cast<double>(counts.receiver_ns - receiver_ns) / static_cast<double>(counts.frames - frames));
  counts.stop = true;
  receives.join();
  sends.join();
  return gbit;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("AF_XDP over a veth, one way, without a protocol");
  app.add_option("--mtu", options.mtu, "bytes of the IP packet")
      ->capture_default_str()
      ->check(CLI::Range(1228U, 3498U));
  app.add_option("--payload", options.payload)->capture_default_str()->check(CLI::IsMember({"none", "copy"}));
  app.add_option("--napi", options.napi)
      ->capture_default_str()
      ->check(CLI::IsMember({"softirq", "threaded", "busy", "deferred"}));
  app.add_option("--wait", options.wait)
      ->capture_default_str()
      ->check(CLI::IsMember({"spin", "sleep", "nap", "yield"}));
  app.add_option("--mode", options.mode)->capture_default_str()->check(CLI::IsMember({"native", "generic"}));
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--runs", options.runs)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--burst", options.burst)->capture_default_str();
  app.add_option("--rx-ring", options.rx_ring)->capture_default_str();
  app.add_option("--tx-ring", options.tx_ring)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::vector<double> all;
  for (unsigned index = 0; index < options.runs; ++index) {
    const auto one = run(options);
    if (!one) {
      fmt::print(stderr, "{}\n", one.error().text());
      return exit_code(one.error());
    }
    all.push_back(*one);
  }
  std::ranges::sort(all);
  perf::record_loop("afxdp", "veth", options.mtu - 28,
                    fmt::format("{}, {} NAPI, {}", options.payload, options.napi, options.wait),
                    all[all.size() / 2] * 1e9);
  fmt::print("mtu {} payload {} napi {} wait {}: {:.2f} Gbit/s (median of {}, {:.2f} to {:.2f})\n", options.mtu,
             options.payload, options.napi, options.wait, all[all.size() / 2], all.size(), all.front(), all.back());
  return 0;
}
