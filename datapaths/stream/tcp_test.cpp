// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/tcp.hpp"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <string_view>

namespace {

/// A name server that is asked for kSilent keeps its answer until it is told to give it.
constexpr std::string_view kSilent = "silent.example";
std::atomic<bool> asked{false};
std::atomic<bool> released{false};
std::atomic<bool> over{false};

void tell(std::atomic<bool>& what) {
  what.store(true);
  what.notify_all();
}

}  // namespace

/// In place of the C library's.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
  if (host == nullptr || host != kSilent || (hints->ai_flags & AI_NUMERICHOST) != 0) {
    static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(host, service, hints, list);
  }
  tell(asked);
  released.wait(false);
  tell(over);
  return EAI_AGAIN;
}

namespace waggle::stream {
namespace {

/// An address whose host takes SYNs and never answers: a listening socket with a full queue drops them.
class BlackHole {
 public:
  BlackHole() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(listening_.get(), 0) == 0);
    socklen_t size = sizeof any;
    REQUIRE(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
    port_ = ntohs(any.sin_port);
    for (int i = 0; i < 4; ++i) {
      filling_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(::connect(filling_.back().get(), reinterpret_cast<sockaddr*>(&any), sizeof any));
    }
  }
  Endpoint endpoint() const { return {"127.0.0.1", port_}; }

 private:
  UniqueFd listening_;
  std::uint16_t port_ = 0;
  std::vector<UniqueFd> filling_;
};

}  // namespace

TEST_CASE("a connect that waits ends when it is called off", "[tcp]") {
  const BlackHole nowhere;
  ChannelOptions options;
  options.timeout = std::chrono::hours(1);
  std::stop_source stop;
  options.cancel = stop.get_token();
  auto connecting = std::async(std::launch::async, [&] { return connect_tcp(nowhere.endpoint(), options); });
  CHECK(connecting.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  stop.request_stop();
  const auto connected = connecting.get();
  REQUIRE_FALSE(connected);
  CHECK(connected.error().fault == Fault::cancelled);
}

TEST_CASE("a connect that was called off before it began does not wait", "[tcp]") {
  const BlackHole nowhere;
  ChannelOptions options;
  options.timeout = std::chrono::hours(1);
  std::stop_source stop;
  options.cancel = stop.get_token();
  stop.request_stop();
  CHECK(connect_tcp(nowhere.endpoint(), options).error().fault == Fault::cancelled);
}

TEST_CASE("a connect whose name nobody resolves ends when it is called off", "[tcp]") {
  std::stop_source stop;
  ChannelOptions options;
  options.cancel = stop.get_token();
  auto connecting = std::async(std::launch::async, [&] { return connect_tcp({std::string(kSilent), 1}, options); });
  asked.wait(false);
  stop.request_stop();
  CHECK(connecting.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  tell(released);
  over.wait(false);
  const auto connected = connecting.get();
  REQUIRE_FALSE(connected);
  CHECK(connected.error().fault == Fault::cancelled);
}

TEST_CASE("a connect that nobody answers ends with the time-out", "[tcp]") {
  const BlackHole nowhere;
  ChannelOptions options;
  options.timeout = std::chrono::milliseconds(20);
  CHECK(connect_tcp(nowhere.endpoint(), options).error().fault == Fault::timeout);
}

}  // namespace waggle::stream
