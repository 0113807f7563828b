// SPDX-License-Identifier: BSD-2-Clause
//
// What the dpdk port moves without any protocol: bursts from one process to another over vhost-user, each on a CPU of
// its own. Modes:
//   empty   frames are sent as they are and released unread
//   copy    payload is copied in from a mapped file, and its CRC32C is computed where it arrives
//   rtt     64 bytes there and back, one at a time
//
//   dpdk_loop [MODE] [--frame=BYTES] [--file=BYTES] [--seconds=S] [--repetitions=N] [--cpus=A,B]
//             [--OPTION=VALUE of the port…]
//
// --frame is the IP packet; --file is 64 MiB unless told otherwise, and at its end the sender starts again. Prints the
// median and the range of the repetitions. Needs root and hugepages.
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/copy_meter.hpp"
#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/open.hpp"
#include "datapaths/packet/dpdk/options.hpp"
#include "datapaths/packet/testing/wait.hpp"
#include "datapaths/packet/transport/crc32c.hpp"
#include "harness/topology/hugepages.hpp"
#include "harness/topology/work_directory.hpp"
#include "tests/perf/loop_record.hpp"

using namespace waggle;
using namespace waggle::packet;

namespace {

constexpr std::size_t kLargestFrame = 64 << 10;
constexpr std::size_t kBurst = 32;
constexpr std::uint64_t kSecond = 1'000'000'000;

struct Plan {
  std::string mode = "copy";
  std::size_t file = 64 << 20;
  double seconds = 1;
  int repetitions = 5;
  int cpus[2] = {0, 1};
  ChannelOptions channel;
};

void pin(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

/// Ends the process with a line that says why.
template <typename T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "dpdk_loop: {}\n", result.error().text());
    std::_Exit(exit_code(result.error()));
  }
  return *std::move(result);
}

std::unique_ptr<Port> open(const Plan& plan, bool listens) {
  const Endpoint server{"10.77.0.1", 7'000};
  const auto settings = must(Settings::of("dpdk", dpdk::option_list(), plan.channel));
  auto ports = must(dpdk::open_ports({.local = listens ? server : Endpoint{},
                                      .remote = listens ? Endpoint{} : server,
                                      .listens = listens,
                                      .options = plan.channel,
                                      .settings = settings}));
  return std::move(ports.front());
}

/// The bytes of a file, mapped and in page cache. Made before there are two processes, since a large one takes longer
/// than the receiver gives the sender.
std::span<std::byte> map_payload(std::size_t length) {
  const int file = ::memfd_create("payload", MFD_CLOEXEC);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(length)) != 0) {
    std::perror("dpdk_loop: cannot make the payload");
    std::_Exit(1);
  }
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  if (memory == MAP_FAILED) {
    std::perror("dpdk_loop: cannot map the payload");
    std::_Exit(1);
  }
  const std::span bytes(static_cast<std::byte*>(memory), length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>(i * 2'654'435'761U >> 24);
  }
  return bytes;
}

void send_all(Port& port, std::span<const TxFrame> frames) {
  while (!frames.empty()) {
    frames = frames.subspan(must(port.send(frames)));
  }
}

/// Sends for ever to whoever has sent the first frame.
[[noreturn]] void run_sender(const Plan& plan, std::span<std::byte> payload) {
  pin(plan.cpus[0]);
  // A child's page tables start without what is shared.
  ::madvise(payload.data(), payload.size(), MADV_POPULATE_READ);
  const auto port = open(plan, true);
  RxFrame hello[1];
  while (must(port->poll(hello)) == 0) {
  }
  const Peer to = hello->from;
  port->release(hello);
  const std::uint32_t length = port->capabilities().packet;
  const bool copies = plan.mode == "copy";
  std::size_t at = 0;
  for (TxFrame frames[kBurst];;) {
    const std::size_t count = port->lease(frames);
    if (count == 0) {
      port->reclaim();
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (copies) {
        copy_payload({frames[i].packet, length}, payload.subspan(at, length));
        at = at + 2 * length > payload.size() ? 0 : at + length;
      }
      frames[i].length = length;
      frames[i].to = to;
    }
    send_all(*port, {frames, count});
  }
}

/// Sends back whatever comes.
[[noreturn]] void run_echo(const Plan& plan) {
  pin(plan.cpus[0]);
  const auto port = open(plan, true);
  RxFrame in[kBurst];
  TxFrame out[kBurst];
  for (;;) {
    const std::size_t count = must(port->poll(in));
    if (count == 0) {
      must(testing::wait(*port, now_ns() + kSecond));
      continue;
    }
    const std::size_t leased = port->lease({out, count});
    for (std::size_t i = 0; i < leased; ++i) {
      copy_payload({out[i].packet, in[i].length}, {in[i].packet, in[i].length});
      out[i].length = in[i].length;
      out[i].to = in[i].from;
    }
    port->release({in, count});
    send_all(*port, {out, leased});
  }
}

/// And returns the median.
double print(std::vector<double> values, std::string_view unit) {
  std::ranges::sort(values);
  fmt::print("{:.2f} {} ({:.2f} to {:.2f}, {} repetitions)\n", values[values.size() / 2], unit, values.front(),
             values.back(), values.size());
  return values[values.size() / 2];
}

void send_hello(Port& port, const Peer& to, std::uint32_t length) {
  TxFrame frame[1];
  if (port.lease(frame) == 1) {
    std::memset(frame->packet, 0, length);
    frame->length = length;
    frame->to = to;
    send_all(port, frame);
  }
}

/// Gbit/s of payload in one repetition.
double receive_for(Port& port, const Plan& plan, std::uint32_t& checksum) {
  std::uint64_t bytes = 0;
  const std::uint64_t start = now_ns();
  std::uint64_t now = start;
  RxFrame frames[kBurst];
  for (std::uint64_t turn = 1; static_cast<double>(now - start) < plan.seconds * 1e9; ++turn) {
    const std::size_t count = must(port.poll(frames));
    for (std::size_t i = 0; i < count; ++i) {
      bytes += frames[i].length;
      checksum ^= plan.mode == "copy" ? crc32c(0, {frames[i].packet, frames[i].length}) : 0;
    }
    port.release({frames, count});
    now = turn % 64 == 0 ? now_ns() : now;
  }
  return static_cast<double>(bytes) * 8 / static_cast<double>(now - start);
}

void run_receiver(const Plan& plan) {
  pin(plan.cpus[1]);
  const auto port = open(plan, false);
  const Peer to = must(port->resolve(Peer{.ip = 0x0A4D0001, .port = 7'000}, {}));
  std::uint32_t checksum = 0;
  // Again if it was dropped, because the sender was not up yet.
  do {
    send_hello(*port, to, 64);
  } while (receive_for(*port, plan, checksum) == 0);
  std::vector<double> rates;
  for (int i = 0; i < plan.repetitions; ++i) {
    rates.push_back(receive_for(*port, plan, checksum));
  }
  fmt::print("{} frames of {} bytes, checksum {:08x}: ", plan.mode, port->capabilities().packet, checksum);
  const double packets = print(std::move(rates), "Gbit/s");
  const std::uint32_t packet = port->capabilities().packet;
  perf::record_loop("dpdk", "vhost", packet, plan.mode,
                    packets * 1e9 * static_cast<double>(packet - kDataHeader) / packet);
}

void run_round_trips(const Plan& plan) {
  pin(plan.cpus[1]);
  const auto port = open(plan, false);
  const Peer to = must(port->resolve(Peer{.ip = 0x0A4D0001, .port = 7'000}, {}));
  std::vector<double> medians;
  for (int i = 0; i <= plan.repetitions; ++i) {
    std::vector<double> times;
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(plan.seconds * 1e9);
    for (std::uint64_t start = now_ns(); start < end;) {
      send_hello(*port, to, 64);
      RxFrame frame[1];
      while (must(port->poll(frame)) == 0) {
        must(testing::wait(*port, now_ns() + kSecond));
      }
      port->release(frame);
      const std::uint64_t now = now_ns();
      times.push_back(static_cast<double>(now - start) / 1e3);
      start = now;
    }
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
    medians.push_back(times[times.size() / 2]);
  }
  medians.erase(medians.begin());
  fmt::print("64 bytes there and back: ");
  print(std::move(medians), "us");
}

Plan parse(int argc, char** argv) {
  Plan plan;
  plan.channel.link = "vhost";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == word.npos) {
      plan.mode = word;
      continue;
    }
    const std::string name(word.substr(2, equals - 2));
    const std::string value(word.substr(equals + 1));
    if (name == "frame") {
      plan.channel.mtu = static_cast<std::uint32_t>(std::stoul(value));
    } else if (name == "file") {
      plan.file = std::stoul(value);
    } else if (name == "seconds") {
      plan.seconds = std::stod(value);
    } else if (name == "repetitions") {
      plan.repetitions = std::stoi(value);
    } else if (name == "cpus") {
      std::sscanf(value.c_str(), "%d,%d", &plan.cpus[0], &plan.cpus[1]);
    } else {
      plan.channel.settings["dpdk." + name] = value;
    }
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan = parse(argc, argv);
  if (plan.mode != "empty" && plan.mode != "copy" && plan.mode != "rtt") {
    fmt::print(stderr, "dpdk_loop: no mode is named '{}'; choose empty, copy or rtt\n", plan.mode);
    return 2;
  }
  if (plan.file < kLargestFrame) {
    fmt::print(stderr, "dpdk_loop: a file of {} bytes is too short; choose {} or more\n", plan.file, kLargestFrame);
    return 2;
  }
  const auto work = must(topology::WorkDirectory::create("/var/tmp"));
  const auto hugepages = must(topology::Hugepages::reserve(2 * dpdk::kHugepageBytes, work.path()));
  plan.channel.link_at = (work.path() / "vhost").string();
  const auto payload = plan.mode == "copy" ? map_payload(plan.file) : std::span<std::byte>();
  const pid_t server = ::fork();
  if (server == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    plan.mode == "rtt" ? run_echo(plan) : run_sender(plan, payload);
  }
  const pid_t client = ::fork();
  if (client == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::usleep(500'000);
    plan.mode == "rtt" ? run_round_trips(plan) : run_receiver(plan);
    std::fflush(stdout);
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(client, &status, 0);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
