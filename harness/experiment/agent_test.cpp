// SPDX-License-Identifier: BSD-2-Clause
// What every agent answers, over whatever byte stream it is reached: the page is agent.hpp.
#include "harness/experiment/agent_main.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/byte_order.hpp"
#include "harness/experiment/control.hpp"
#include "harness/record/json_text.hpp"

using namespace waggle;
using namespace waggle::experiment;
using nlohmann::json;

namespace {

/// An agent of this process, and the harness's end of the stream to it.
class Reached {
 public:
  explicit Reached(bool pipes) {
    std::array<int, 2> there{};
    std::array<int, 2> back{};
    if (pipes) {
      REQUIRE(::pipe2(there.data(), O_CLOEXEC) == 0);
      REQUIRE(::pipe2(back.data(), O_CLOEXEC) == 0);
      to_ = UniqueFd(there[1]);
      from_ = UniqueFd(back[0]);
      run({std::to_string(there[0]), std::to_string(back[1])});
    } else {
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, there.data()) == 0);
      to_ = UniqueFd(::dup(there[0]));
      from_ = UniqueFd(there[0]);
      run({std::to_string(there[1])});
    }
  }
  ~Reached() {
    hang_up();
    join();
  }
  Reached(const Reached&) = delete;
  Reached& operator=(const Reached&) = delete;

  void write(std::string_view bytes) const {
    REQUIRE(::write(to_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  Result<json> answer() { return reader_.receive(); }
  void hang_up() {
    to_.reset();
    if (from_) {
      ::shutdown(from_.get(), SHUT_WR);  // of a pipe nothing comes of it
    }
  }
  /// The exit code.
  int join() {
    if (agent_.joinable()) {
      agent_.join();
    }
    return code_;
  }

 private:
  void run(std::vector<std::string> descriptors) {
    reader_ = Control(UniqueFd(::dup(from_.get())));
    agent_ = std::thread([this, descriptors]() mutable {
      std::string name = kAgentArgument;
      std::vector<char*> arguments{name.data()};
      for (std::string& descriptor : descriptors) {
        arguments.push_back(descriptor.data());
      }
      code_ = agent_main(static_cast<int>(arguments.size()), arguments.data());
    });
  }

  UniqueFd to_;
  UniqueFd from_;
  Control reader_{UniqueFd()};
  std::thread agent_;
  int code_ = -1;
};

std::string message(const json& content) {
  const std::string text = record::json_text(content);
  std::string header("WGA\x01", 4);
  header.resize(kControlHeader);
  store_be(reinterpret_cast<std::byte*>(header.data()) + 4, static_cast<std::uint32_t>(text.size()));
  return header + text;
}

std::string fault_of(const Result<json>& answer) {
  REQUIRE(answer);
  REQUIRE(answer->contains("error"));
  return answer->at("error").at("fault");
}

}  // namespace

TEST_CASE("an agent answers each request with its id, over any byte stream") {
  Reached agent(GENERATE(false, true));
  agent.write(message({{"do", "start"}, {"role", "host"}, {"id", 7}}));
  const auto started = agent.answer();
  REQUIRE(started);
  CHECK(started->at("ok") == true);
  CHECK(started->at("id") == 7);
  // Two at once, in order.
  agent.write(message({{"do", "prime"}, {"bytes", 0}, {"id", "a"}}) + message({{"do", "quit"}, {"id", "b"}}));
  CHECK(agent.answer()->at("id") == "a");
  const auto last = agent.answer();
  CHECK(last->at("id") == "b");
  CHECK(last->at("ok") == true);
  CHECK(agent.join() == 0);
}

TEST_CASE("a message may come byte by byte") {
  Reached agent(GENERATE(false, true));
  for (const char byte : message({{"do", "start"}, {"role", "host"}, {"id", 1}})) {
    agent.write({&byte, 1});
  }
  CHECK(agent.answer()->at("ok") == true);
}

TEST_CASE("what an agent cannot do is an error that ends nothing") {
  Reached agent(GENERATE(false, true));
  const std::vector<json> wrong{{{"do", "prime"}},
                                {{"do", "start"}, {"role", "king"}},
                                {{"do", 3}},
                                json::object(),
                                {{"do", "start"}, {"role", json::array()}}};
  for (const json& request : wrong) {
    INFO(request.dump());
    agent.write(message(request));
    CHECK(fault_of(agent.answer()) == "protocol");
  }
  agent.write(message({{"do", "start"}, {"role", "host"}}));
  CHECK(agent.answer()->at("ok") == true);
  agent.write(message({{"do", "dance"}}));
  CHECK(fault_of(agent.answer()) == "protocol");
  agent.write(message({{"do", "make"}}));  // without what it needs
  CHECK(fault_of(agent.answer()) == "protocol");
}

TEST_CASE("what is no message of this version ends an agent") {
  const bool pipes = GENERATE(false, true);
  std::string other_version = message({{"do", "quit"}});
  other_version[3] = '\x02';
  std::string huge = message({{"do", "quit"}});
  huge[4] = '\x7f';
  const std::string not_json = std::string("WGA\x01\0\0\0\x02", kControlHeader) + "no";
  const std::string empty("WGA\x01\0\0\0\0", kControlHeader);
  for (const std::string& sent :
       {std::string("Last login: today\n"), other_version, huge, not_json, empty, message(json::array({1}))}) {
    Reached agent(pipes);
    agent.write(sent);
    CHECK_FALSE(agent.answer());
    CHECK(agent.join() == 1);
  }
}

TEST_CASE("an agent ends when its stream does, also within a message") {
  Reached agent(GENERATE(false, true));
  agent.write(message({{"do", "quit"}}).substr(0, GENERATE(std::size_t{0}, std::size_t{5}, std::size_t{12})));
  agent.hang_up();
  CHECK(agent.join() == 1);
}

TEST_CASE("the other end is named when it is none of ours") {
  auto ends = Control::make();
  REQUIRE(ends);
  REQUIRE(::write(ends->second.get(), "Last login: today", 17) == 17);
  const auto answer = ends->first.receive();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().fault == Fault::protocol);
  CHECK(answer.error().hint == "use the same build of the harness on all hosts");
}

TEST_CASE("a message is taken as it comes, without waiting for the rest") {
  auto ends = Control::make();
  REQUIRE(ends);
  const std::string sent = message({{"text", std::string(100'000, 'x')}});
  std::size_t done = 0;
  for (const std::size_t cut : {std::size_t{3}, std::size_t{8}, std::size_t{5000}, sent.size()}) {
    REQUIRE(::write(ends->second.get(), sent.data() + done, cut - done) == static_cast<ssize_t>(cut - done));
    done = cut;
    Result<std::optional<json>> got = std::nullopt;
    int available = 0;
    while (got && !*got && ::ioctl(ends->first.fd(), FIONREAD, &available) == 0 && available > 0) {
      got = ends->first.take();
    }
    REQUIRE(got);
    CHECK(got->has_value() == (cut == sent.size()));
  }
}

TEST_CASE("probes of a run that was given up are none of the next run's") {
  Reached agent(false);
  const auto ask = [&](const json& request) {
    agent.write(message(request));
    auto answer = agent.answer();
    REQUIRE(answer);
    return *std::move(answer);
  };
  const int self = ::getpid();
  const json both{{"do", "watch"},
                  {"parties", {{{"role", "sender"}, {"process", self}}, {{"role", "receiver"}, {"process", self}}}}};
  const json one{{"do", "watch"}, {"parties", {{{"role", "sender"}, {"process", self}}}}};
  CHECK(ask({{"do", "start"}, {"role", "host"}}).contains("ok"));
  CHECK(ask({{"do", "looked"}}).dump().contains("nobody has looked before"));
  CHECK(ask({{"do", "end"}}).dump().contains("no window was begun"));
  if (ask(both).contains("error")) {
    WARN("nothing can be traced here");
    return;
  }
  CHECK(ask(one).contains("ok"));
  CHECK(ask({{"do", "begin"}}).contains("ok"));
  CHECK(ask({{"do", "end"}}).at("watched").size() == 1);

  CHECK(ask(both).contains("ok"));
  const int cpu = ::sched_getcpu();
  CHECK(ask({{"do", "look"}, {"cpus", {cpu, cpu}}}).contains("ok"));
  CHECK(ask({{"do", "begin"}}).contains("ok"));
  const json told = ask({{"do", "end"}});
  CHECK_FALSE(told.contains("error"));
  CHECK(told.value("watched", json::array()).empty());
  CHECK_FALSE(told.contains("trace"));
}
