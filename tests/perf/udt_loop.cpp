// SPDX-License-Identifier: BSD-2-Clause
/// What UDT 4 carries from the memory of one process into that of another, one socket each. The server sends a payload
/// again and again to whoever asks. The client receives for some seconds, whole payloads only, and digests each as
/// the harness does: XXH3-128 in blocks, compared with what was sent. Who starts the two pins them; UDT's own threads
/// stay on the CPU of their process.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <udt/udt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"

using namespace waggle;

namespace {

/// Bytes per call of UDT, as read_write has them by default.
constexpr std::size_t kCall = 1 << 20;
constexpr int kPatience = 10'000;  // milliseconds without a byte

struct Options {
  std::string role;
  std::string address;
  std::uint16_t port = 9200;
  int mss = 1500;
  int buffer = 10'240'000;
  int udp_send = 4 << 20;  // what the udp port takes
  int udp_receive = 8 << 20;
  std::size_t bytes = 64 << 20;
  double warm_up = 1;
  double seconds = 1;
  unsigned runs = 5;
  bool digest = true;
};

[[noreturn]] void end(std::string_view what, std::string_view why) {
  fmt::print(stderr, "udt_loop: {}: {}\n", what, why);
  // Tells the other side, which would wait long otherwise.
  UDT::cleanup();
  std::_Exit(1);
}

/// What a call of UDT returned, unless it failed.
int must(int result, std::string_view what) {
  if (result == UDT::ERROR) {
    end(what, UDT::getlasterror().getErrorMessage());
  }
  return result;
}

void set(UDTSOCKET socket, UDTOpt option, int value) {
  must(UDT::setsockopt(socket, 0, option, &value, sizeof value), "cannot set an option of UDT");
}

sockaddr_in address_of(const Options& options, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) {
    end(options.address, "not an IPv4 address");
  }
  return address;
}

/// A UDT socket on a UDP socket of ours, since UDT itself would get no larger buffers than net.core.[rw]mem_max allows
/// and would not say so.
UDTSOCKET open(const Options& options, const sockaddr_in* local) {
  const UDTSOCKET socket = must(UDT::socket(AF_INET, SOCK_STREAM, 0), "cannot make a socket");
  // The buffers are kept in packets: the size of one comes first.
  set(socket, UDT_MSS, options.mss);
  set(socket, UDT_SNDBUF, options.buffer);
  set(socket, UDT_RCVBUF, options.buffer);
  set(socket, UDP_SNDBUF, options.udp_send);
  set(socket, UDP_RCVBUF, options.udp_receive);
  const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (udp < 0 || (local != nullptr && ::bind(udp, reinterpret_cast<const sockaddr*>(local), sizeof *local) != 0)) {
    end("cannot bind a UDP socket", std::strerror(errno));
  }
  must(UDT::bind2(socket, udp), "cannot bind");
  if (::setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &options.udp_send, sizeof options.udp_send) != 0 ||
      ::setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &options.udp_receive, sizeof options.udp_receive) != 0) {
    end("cannot set the buffers of UDP, which needs root", std::strerror(errno));
  }
  return socket;
}

/// The same bytes in both processes.
std::vector<std::byte> make_payload(std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>(i * 2'654'435'761U >> 24);
  }
  return bytes;
}

/// Waits for a byte and sends until the other side is gone.
void serve(UDTSOCKET to, const std::vector<std::byte>& payload) {
  char request = 0;
  if (UDT::recv(to, &request, 1, 0) == UDT::ERROR) {
    return;
  }
  for (std::size_t at = 0;;) {
    const int length = static_cast<int>(std::min(kCall, payload.size() - at));
    const int sent = UDT::send(to, reinterpret_cast<const char*>(payload.data() + at), length, 0);
    if (sent == UDT::ERROR) {
      return;
    }
    at = (at + static_cast<std::size_t>(sent)) % payload.size();
  }
}

[[noreturn]] void run_server(const Options& options) {
  const auto payload = make_payload(options.bytes);
  const sockaddr_in local = address_of(options, options.port);
  const UDTSOCKET listener = open(options, &local);
  must(UDT::listen(listener, 8), "cannot listen");
  while (true) {
    sockaddr_in from{};
    int size = sizeof from;
    const UDTSOCKET client = must(UDT::accept(listener, reinterpret_cast<sockaddr*>(&from), &size), "cannot accept");
    serve(client, payload);
    UDT::close(client);
  }
}

/// One payload.
void receive(UDTSOCKET from, const Options& options, ExtentDigester& digester, const Digest& sent) {
  static std::vector<std::byte> buffer(kCall);
  for (std::size_t left = options.bytes; left > 0;) {
    const int room = static_cast<int>(std::min(kCall, left));
    const int count = UDT::recv(from, reinterpret_cast<char*>(buffer.data()), room, 0);
    if (count == UDT::ERROR && UDT::getlasterror().getErrorCode() == CUDTException::ETIMEOUT) {
      end("cannot receive", fmt::format("nothing came for {} s", kPatience / 1000));
    }
    must(count, "cannot receive");
    if (options.digest) {
      digester.update(ByteView{buffer.data(), static_cast<std::size_t>(count)});
    }
    left -= static_cast<std::size_t>(count);
  }
  if (options.digest) {
    if (digester.finish() != sent) {
      end("wrong bytes arrived", "is the server's --bytes the same?");
    }
    digester.reset();
  }
}

/// Gbit/s.
double run(UDTSOCKET from, const Options& options, double seconds, ExtentDigester& digester, const Digest& sent) {
  const std::uint64_t start = now_ns();
  std::uint64_t now = start;
  std::uint64_t bytes = 0;
  CPerfMon seen{};
  must(UDT::perfmon(from, &seen, true), "cannot ask for losses");
  while (static_cast<double>(now - start) < seconds * 1e9) {
    receive(from, options, digester, sent);
    bytes += options.bytes;
    now = now_ns();
  }
  must(UDT::perfmon(from, &seen, true), "cannot ask for losses");
  const double gbit = static_cast<double>(bytes) * 8 / static_cast<double>(now - start);
  fmt::print(stderr, "  {:.2f} Gbit/s, {} of {} packets lost\n", gbit, seen.pktRcvLoss, seen.pktRecv);
  return gbit;
}

void run_client(const Options& options) {
  const UDTSOCKET socket = open(options, nullptr);
  set(socket, UDT_RCVTIMEO, kPatience);
  const sockaddr_in to = address_of(options, options.port);
  ExtentDigester digester(DigestKind::xxh3_128);
  digester.update(ByteView{make_payload(options.bytes)});
  const Digest sent = digester.finish();
  digester.reset();
  must(UDT::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), "cannot connect");
  // Data that overtook the end of the handshake would be lost, and UDT's slow start over with the first loss.
  const char request = 0;
  must(UDT::send(socket, &request, 1, 0), "cannot send");
  int mss = 0;
  int size = sizeof mss;
  must(UDT::getsockopt(socket, 0, UDT_MSS, &mss, &size), "cannot ask for the MSS");
  run(socket, options, options.warm_up, digester, sent);
  std::vector<double> rates;
  for (unsigned i = 0; i < options.runs; ++i) {
    rates.push_back(run(socket, options, options.seconds, digester, sent));
  }
  std::ranges::sort(rates);
  fmt::print("UDT, mss {}, {}: {:.2f} Gbit/s (median of {}, {:.2f} to {:.2f})\n", mss,
             options.digest ? "digested" : "not digested", rates[rates.size() / 2], rates.size(), rates.front(),
             rates.back());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("UDT from the memory of one process into that of another");
  app.add_option("role", options.role, "server sends, client receives")
      ->required()
      ->check(CLI::IsMember({"server", "client"}));
  app.add_option("address", options.address, "IPv4 address of the server")->required();
  app.add_option("--port", options.port)->capture_default_str();
  app.add_option("--mss", options.mss, "bytes of the IP packet: at most the link's MTU, the same on both sides")
      ->capture_default_str()
      ->check(CLI::Range(576, 65'535));
  app.add_option("--buffer", options.buffer, "bytes of UDT's send and receive buffers")->capture_default_str();
  app.add_option_function<int>(
         "--udp-buffer", [&options](int bytes) { options.udp_send = options.udp_receive = bytes; },
         "bytes of the UDP socket's buffers, each way (4 MiB to send and 8 to receive, as the udp port)")
      ->check(CLI::PositiveNumber);
  app.add_option("--bytes", options.bytes, "of the payload, the same on both sides")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up, "seconds at least before the first run, for UDT's slow start")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "length of a run at least")->capture_default_str();
  app.add_option("--runs", options.runs)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--digest", options.digest, "whether the client digests and compares (true)");
  CLI11_PARSE(app, argc, argv);
  if (options.role == "server") {
    run_server(options);
  }
  run_client(options);
  UDT::cleanup();
  return 0;
}
