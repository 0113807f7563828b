// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "harness/measure/testing/traced.hpp"

#ifdef HAVE_URING
#include <liburing.h>
#endif

using namespace waggle;
using namespace waggle::measure;
using record::Role;

TEST_CASE("read and write are counted by kind with their exact bytes") {
  const UniqueFd tmpfs = make_file("/dev/shm");
  const UniqueFd disk = make_file("/var/tmp");
  const SocketPair tcp = tcp_pair();
  const auto seen = trace(
      [&] {
        std::vector<char> buffer(kSize);
        bool good = ::pread(disk.get(), buffer.data(), 1000, 0) == 1000;
        good = good && ::pread(disk.get(), buffer.data(), kSize, 0) == static_cast<ssize_t>(kSize);
        good = good && ::pwrite(tmpfs.get(), buffer.data(), 3000, 0) == 3000;
        good = good && ::pread(-1, buffer.data(), 1, 0) == -1;
        return good && ::send(tcp.sender.get(), buffer.data(), 5000, 0) == 5000;
      },
      [&] { return receive_all(tcp.receiver.get(), 5000, MSG_WAITALL); });
  const auto reads = find(seen.of(Role::sender), "pread64", "file", "memory");
  CHECK(reads.calls == 2);
  CHECK(reads.bytes == 1000 + kSize);
  CHECK(find(seen.of(Role::sender), "pread64", "other", "memory").errors == 1);
  CHECK(find(seen.of(Role::sender), "pwrite64", "memory", "file").bytes == 3000);
  CHECK(find(seen.of(Role::sender), "sendto", "memory", "socket").bytes == 5000);
  CHECK(find(seen.of(Role::sender), "sendto", "memory", "socket").calls == 1);
  CHECK(seen.of(Role::sender).system_calls == 7);
  CHECK(seen.of(Role::sender).mode_switches == 14);
  CHECK(seen.of(Role::sender).socket_copied_bytes == kControl);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 1000 + kSize + 3000 + 5000 + 2 * kControl);
  CHECK(seen.of(Role::sender).verification_copied_bytes == 0);
  CHECK(find(seen.of(Role::receiver), "recvfrom", "socket", "memory").bytes == 5000);
  CHECK(seen.of(Role::receiver).socket_copied_bytes == 5000 + kControl);
  CHECK(seen.of(Role::receiver).kernel_copied_bytes == 5000 + 2 * kControl);
}

TEST_CASE("sendfile into a socket copies nothing on the sender, receiving copies once") {
  const UniqueFd file = make_file("/dev/shm");
  const SocketPair tcp = tcp_pair();
  const auto seen = trace(
      [&] {
        off_t offset = 0;
        while (offset < static_cast<off_t>(kSize)) {
          if (::sendfile(tcp.sender.get(), file.get(), &offset, kSize - static_cast<std::size_t>(offset)) <= 0) {
            return false;
          }
        }
        return true;
      },
      [&] { return receive_all(tcp.receiver.get(), kSize, 0); });
  CHECK(find(seen.of(Role::sender), "sendfile", "file", "socket").bytes == kSize);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 2 * kControl);
  CHECK(seen.of(Role::receiver).kernel_copied_bytes == kSize + 2 * kControl);
  CHECK(seen.tcp_retransmits == 0);
  CHECK(seen.packets_dropped == 0);
}

TEST_CASE("splice copies from a pipe into a file and nowhere else; reading back is verification") {
  const UniqueFd source = make_file("/var/tmp");
  const UniqueFd sink = make_file("/dev/shm");
  const SocketPair tcp = tcp_pair();
  const Pipe sending = make_pipe();
  const Pipe receiving = make_pipe();
  constexpr ssize_t kPiece = 16 * 1024;
  const auto seen = trace(
      [&] {
        off64_t offset = 0;
        return ::splice(source.get(), &offset, sending.in.get(), nullptr, kPiece, 0) == kPiece &&
               ::splice(sending.out.get(), nullptr, tcp.sender.get(), nullptr, kPiece, 0) == kPiece;
      },
      [&] {
        ssize_t filled = 0;
        while (filled < kPiece) {
          const ssize_t n = ::splice(tcp.receiver.get(), nullptr, receiving.in.get(), nullptr,
                                     static_cast<std::size_t>(kPiece - filled), 0);
          if (n <= 0) {
            return false;
          }
          filled += n;
        }
        off64_t offset = 0;
        std::vector<char> back(kPiece);
        return ::splice(receiving.out.get(), nullptr, sink.get(), &offset, kPiece, 0) == kPiece &&
               ::pread(sink.get(), back.data(), kPiece, 0) == kPiece;
      });
  CHECK(find(seen.of(Role::sender), "splice", "file", "pipe").bytes == kPiece);
  CHECK(find(seen.of(Role::sender), "splice", "pipe", "socket").bytes == kPiece);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 2 * kControl);
  CHECK(find(seen.of(Role::receiver), "splice", "socket", "pipe").bytes == kPiece);
  CHECK(find(seen.of(Role::receiver), "splice", "pipe", "file").bytes == kPiece);
  CHECK(seen.of(Role::receiver).socket_copied_bytes == kControl);
  CHECK(seen.of(Role::receiver).kernel_copied_bytes == 2 * kPiece + 2 * kControl);
  CHECK(seen.of(Role::receiver).verification_copied_bytes == kPiece);
}

TEST_CASE("zero-copy sends are counted apart and cost what the kernel copied after all") {
  const SocketPair tcp = tcp_pair();
  const int on = 1;
  REQUIRE(::setsockopt(tcp.sender.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) == 0);
  const std::vector<char> payload(8192, 'z');
  const auto seen = trace(
      [&] {
        return ::send(tcp.sender.get(), payload.data(), payload.size(), MSG_ZEROCOPY) == 8192 &&
               ::send(tcp.sender.get(), payload.data(), 100, 0) == 100;
      },
      [&] { return receive_all(tcp.receiver.get(), 8292, MSG_WAITALL | MSG_TRUNC); });
  CHECK(find(seen.of(Role::sender), "sendto+zerocopy", "memory", "socket").bytes == 8192);
  CHECK(find(seen.of(Role::sender), "sendto", "memory", "socket").bytes == 100);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 100 + 2 * kControl);
  CHECK(find(seen.of(Role::receiver), "recvfrom+truncate", "socket", "memory").bytes == 8292);
  CHECK(seen.of(Role::receiver).socket_copied_bytes == kControl);
}

TEST_CASE("files opened with O_DIRECT are told apart and not copied") {
  const UniqueFd disk = make_file("/var/tmp");
  const std::string path = "/proc/self/fd/" + std::to_string(disk.get());
  const UniqueFd direct(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  REQUIRE(direct);
  REQUIRE(::fsync(disk.get()) == 0);
  void* page = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  const auto seen = trace([&] { return ::pread(direct.get(), page, kSize, 0) == static_cast<ssize_t>(kSize); });
  ::munmap(page, kSize);
  CHECK(find(seen.of(Role::sender), "pread64", "direct", "memory").bytes == kSize);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 2 * kControl);
}

namespace {

/// Voluntary and involuntary switches of a process, by its own account.
std::pair<std::uint64_t, std::uint64_t> switches_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::pair<std::uint64_t, std::uint64_t> switches;
  for (std::string word; status >> word;) {
    if (word == "voluntary_ctxt_switches:") {
      status >> switches.first;
    } else if (word == "nonvoluntary_ctxt_switches:") {
      status >> switches.second;
    }
  }
  return switches;
}

/// True once the process sleeps, so that its counters stand still.
bool sleeps(pid_t process) {
  for (int attempt = 0; attempt < 100'000; ++attempt) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    if (const auto end = text.rfind(')'); end != std::string::npos && text.compare(end + 2, 1, "S") == 0) {
      return true;
    }
    ::sched_yield();
  }
  return false;
}

}  // namespace

TEST_CASE("context switches agree with the kernel's own account") {
  const SocketPair tcp = tcp_pair();
  constexpr int kRounds = 50;
  const auto play = [](int socket, bool serves) {
    char byte = 0;
    for (int round = 0; round < kRounds; ++round) {
      if ((serves && ::send(socket, &byte, 1, 0) != 1) || ::recv(socket, &byte, 1, 0) != 1 ||
          (!serves && ::send(socket, &byte, 1, 0) != 1)) {
        return false;
      }
    }
    return true;
  };
  Subject sender([&] { return play(tcp.sender.get(), true); });
  Subject receiver([&] { return play(tcp.receiver.get(), false); });
  REQUIRE(sleeps(sender.pid()));
  REQUIRE(sleeps(receiver.pid()));
  const auto before = switches_of(sender.pid());
  auto tracer = start(sender.pid(), receiver.pid());
  REQUIRE(sender.go());
  REQUIRE(receiver.go());
  REQUIRE(sender.done());
  REQUIRE(receiver.done());
  REQUIRE(sleeps(sender.pid()));
  const auto seen = tracer->stop();
  const auto after = switches_of(sender.pid());
  REQUIRE(seen);
  CHECK(seen->of(Role::sender).voluntary_switches > 0);
  CHECK(seen->of(Role::sender).voluntary_switches == after.first - before.first);
  CHECK(seen->of(Role::sender).involuntary_switches == after.second - before.second);
  CHECK(find(seen->of(Role::sender), "recvfrom", "socket", "memory").bytes == kRounds);
}

TEST_CASE("busy time covers a process that is never switched out") {
  constexpr std::uint64_t kSpin = 50'000'000;
  const auto seen = trace([] {
    timespec now{};
    do {
      ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec == 0 && static_cast<std::uint64_t>(now.tv_nsec) < kSpin);
    return true;
  });
  CHECK(seen.cpu_busy_ns >= kSpin);
  CHECK(seen.cpu_busy_ns <= seen.window_ns * static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  CHECK(seen.softirq_ns < seen.cpu_busy_ns);
}

#ifdef HAVE_URING
TEST_CASE("operations of io_uring are counted by name, kind and bytes") {
  const UniqueFd file = make_file("/dev/shm");
  const SocketPair tcp = tcp_pair();
  const auto seen = trace(
      [&] {
        io_uring ring{};
        if (::io_uring_queue_init(4, &ring, 0) != 0) {
          return false;
        }
        std::vector<char> buffer(4096);
        const auto run = [&ring](io_uring_sqe*) {
          io_uring_cqe* cqe = nullptr;
          const bool good = ::io_uring_submit_and_wait(&ring, 1) == 1 && ::io_uring_peek_cqe(&ring, &cqe) == 0;
          const int result = good ? cqe->res : -1;
          if (good) {
            ::io_uring_cqe_seen(&ring, cqe);
          }
          return result;
        };
        io_uring_sqe* sqe = ::io_uring_get_sqe(&ring);
        ::io_uring_prep_read(sqe, file.get(), buffer.data(), 4096, 0);
        bool good = run(sqe) == 4096;
        sqe = ::io_uring_get_sqe(&ring);
        ::io_uring_prep_send(sqe, tcp.sender.get(), buffer.data(), 4096, 0);
        good = good && run(sqe) == 4096;
        ::io_uring_queue_exit(&ring);
        return good;
      },
      [&] { return receive_all(tcp.receiver.get(), 4096, MSG_WAITALL); });
  const auto read = find(seen.of(Role::sender), "io_uring:read", "file", "memory");
  CHECK(read.calls == 1);
  CHECK(read.bytes == 4096);
  CHECK(find(seen.of(Role::sender), "io_uring:send", "memory", "socket").bytes == 4096);
  CHECK(seen.of(Role::sender).kernel_copied_bytes == 2 * 4096 + 2 * kControl);
}
#endif

TEST_CASE("grades are tried, and a grade that is missing says why") {
  const auto known = grades();
  REQUIRE(known.size() == 3);
  CHECK(known.at(Grade::modelled));
  if (const auto& traced = known.at(Grade::traced); !traced) {
    test::cannot_run(traced.error());
  }
  if (const auto& counted = known.at(Grade::counted); !counted) {
    CHECK(counted.error().fault == Fault::missing);
    CHECK_FALSE(counted.error().hint.empty());
  }
}
