// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <iostream>

#include "harness/store/testing/directory.hpp"
#include "protocol/client.hpp"
#include "protocol/testing/fixture.hpp"
#include "tests/conformance/dialogue.hpp"
#include "tests/conformance/ends.hpp"

/// Outlaws against a server, all at once, while an honest client puts and gets files. It must be served in a time that
/// they do not decide, they must be gone in the end, and no file may hold what was not sent for it.
namespace waggle::conformance {
namespace {

using protocol::Client;
using protocol::Op;
using protocol::testing::content_of;
using protocol::testing::memory_file;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kLarge = 4U << 20U;  ///< bytes of "precious"
constexpr std::uint64_t kUpload = 2U << 20U;
constexpr std::uint64_t kPart = 20'000;
constexpr auto kServedWithin = seconds(10);
constexpr auto kGoneWithin = seconds(10);

/// What the server allows its peers, as silence inside a message or a payload.
milliseconds silence() {
  return milliseconds(700) * patience();
}

/// One outlaw with its plan. `name` goes into the names of its files.
struct Plan {
  Outlaw& wire;
  Dialogue talk;
  std::string name;

  Bytes noise(std::size_t size) const { return Bytes(size, std::byte{0xEE}); }
  bool enters() { return talk.introduce(kToken); }
  void announce_upload() {
    must(enters() && talk.create(1, name, kUpload), "an outlaw that still behaves is not served");
    talk.announce({1, 0, kUpload});
  }
  void pay(std::uint64_t offset, std::size_t size) { wire.pay({1, 0, kUpload}, offset, noise(size)); }
  static std::chrono::steady_clock::time_point patience_ends() {
    return std::chrono::steady_clock::now() + kGoneWithin * patience();
  }
  void until_over() {
    const auto end = patience_ends();
    while (!wire.over() && std::chrono::steady_clock::now() < end) {
      wire.linger(milliseconds(200));
    }
    must(wire.over(), "the server bears with it for ever");
  }
  packet::testing::RawPeer& raw() { return dynamic_cast<PacketOutlaw&>(wire).raw(); }
};

enum class On { all, streams, packets };

struct Trick {
  const char* name;
  On carriers;
  void (*play)(Plan);
  int attempts = 1;  ///< so often anew where a busy machine may make an honest peer look like one that is silent
};

constexpr std::array kTricks{
    Trick{"stalls inside a payload and goes on too late", On::all,
          [](Plan plan) {
            plan.announce_upload();
            plan.pay(0, kPart);
            plan.wire.linger(2 * silence());
            plan.pay(kPart, 10 * kPart);
            plan.until_over();
          }},
    Trick{"stalls inside a message", On::all,
          [](Plan plan) {
            must(plan.enters(), "an outlaw that still behaves is not served");
            plan.wire.begin_to_say(plan.noise(100), 1000);
            plan.until_over();
          }},
    Trick{"announces and never sends", On::all,
          [](Plan plan) {
            plan.announce_upload();
            plan.until_over();
          }},
    Trick{"sends a byte now and then", On::all,
          [](Plan plan) {
            plan.announce_upload();
            const auto end = plan.patience_ends();
            for (std::uint64_t at = 0; !plan.wire.over() && std::chrono::steady_clock::now() < end; ++at) {
              plan.pay(at, 1);
              plan.wire.linger(silence() / 4);
            }
            must(plan.wire.over(), "the server bears with it for ever");
          }},
    Trick{"closes half way", On::all,
          [](Plan plan) {
            plan.announce_upload();
            plan.pay(0, kPart);
            plan.wire.close_half();
            plan.until_over();
          }},
    Trick{"says nothing at all", On::all, [](Plan plan) { plan.wire.linger(3 * silence()); }},
    Trick{"never says all of its HELLO", On::all,
          [](Plan plan) {
            plan.wire.begin_to_say(plan.noise(10), 2000);
            plan.wire.linger(3 * silence());
          }},
    Trick{"has the wrong token", On::all,
          [](Plan plan) {
            must(!plan.talk.introduce("guessed"), "a wrong token opens the door");
            plan.until_over();
          }},
    Trick{"uses handles again and again", On::all,
          [](Plan plan) {
            must(plan.enters(), "an outlaw that still behaves is not served");
            must(plan.talk.create(1, plan.name + "1", kPart), "CREATE was refused");
            plan.talk.ask(protocol::Create{1, kPart, 0644, plan.name + "2"});
            must(plan.talk.answers(Op::error), "a handle that is in use was taken");
            plan.talk.ask(protocol::Lookup{1, "precious"});
            must(plan.talk.answers(Op::error), "a handle that is in use was taken");
            // Announced and released before the payload comes; then the number goes to another file.
            const ExtentId id{1, 0, kPart};
            const auto write = plan.talk.announce(id);
            plan.wire.pay(id, 0, plan.noise(kPart));
            must(plan.talk.done(write, plan.noise(kPart)), "WRITE was refused");
            plan.talk.ask(protocol::Release{1});
            plan.talk.ask(protocol::Lookup{1, "precious"});
            must(plan.talk.answers(Op::attributes), "a handle that was released is not free");
            plan.talk.announce(id);
            plan.wire.pay(id, 0, plan.noise(kPart));
            plan.wire.linger(silence());  // refused, whatever else: the file is not open for writing
          }},
    Trick{"asks for much and takes nothing", On::streams,
          [](Plan plan) {
            must(plan.enters(), "an outlaw that still behaves is not served");
            plan.talk.ask(protocol::Lookup{1, "precious"});
            must(plan.talk.answers(Op::attributes), "LOOKUP was refused");
            for (int i = 0; i < 8; ++i) {
              plan.talk.ask(protocol::Read{ExtentId{1, 0, kLarge}});
            }
            std::this_thread::sleep_for(5 * silence());  // takes nothing from the socket
            plan.until_over();
          }},
    Trick{"never acknowledges and PINGs for ever", On::packets,
          [](Plan plan) {
            plan.raw().acknowledges = false;
            must(plan.enters(), "an outlaw that still behaves is not served");
            plan.talk.ask(protocol::Lookup{1, "precious"});
            plan.talk.answers(Op::attributes);
            plan.talk.ask(protocol::Read{ExtentId{1, 0, kLarge}});
            plan.until_over();
          }},
    Trick{"never acknowledges anything of the handshake", On::packets,
          [](Plan plan) {
            plan.raw().acknowledges = false;
            plan.talk.introduce("guessed");
            plan.until_over();
          }},
    Trick{"sends DATA that belongs to nobody", On::packets,
          [](Plan plan) {
            must(plan.enters(), "an outlaw that still behaves is not served");
            for (std::uint32_t extent = 0; extent < 200; ++extent) {
              plan.raw().data(extent * 7, extent, extent * std::uint64_t{4096}, plan.noise(1000));
              plan.raw().data(0, 1, ~std::uint64_t{0} - 500, plan.noise(1000));
            }
            dynamic_cast<PacketOutlaw&>(plan.wire).run(2 * silence(), true);
          }},
    Trick{"repeats old packets", On::packets,
          [](Plan plan) {
            must(plan.enters() && plan.talk.upload(1, plan.name, plan.noise(kPart)), "an upload was refused");
            const auto all_again = [&] {
              for (std::size_t back = plan.raw().kept(); back-- > 0;) {
                plan.raw().repeat(back);
              }
              dynamic_cast<PacketOutlaw&>(plan.wire).run(milliseconds(50));
            };
            all_again();
            must(plan.talk.upload(2, plan.name + "2", plan.noise(kPart)), "an upload was refused");
            all_again();
            must(plan.talk.commit(2) && plan.talk.commit(1), "COMMIT was refused");
            all_again();
          }},
    Trick{"sends from two addresses", On::packets,
          [](Plan plan) {
            plan.announce_upload();
            plan.pay(0, kPart);
            auto& packets = dynamic_cast<PacketOutlaw&>(plan.wire);
            packets.move();
            plan.raw().data(0, 1, kPart, plan.noise(5 * kPart));
            packets.run(2 * silence(), true);
            must(!plan.raw().settled() || packets.over(), "packets from another address were taken");
          }},
    Trick{"has a path that shrinks", On::packets,
          [](Plan plan) {
            must(plan.enters(), "an outlaw that still behaves is not served");
            plan.talk.ask(protocol::Lookup{1, "precious"});
            must(plan.talk.answers(Op::attributes), "LOOKUP was refused");
            plan.wire.linger(milliseconds(300));  // time to find out that larger packets arrive
            plan.raw().path = 1250;
            plan.talk.ask(protocol::Read{ExtentId{1, 0, kLarge}});
            must(plan.talk.answers(Op::extent), "nothing comes through a path that has shrunk");
            must(plan.talk.answers(Op::done), "payload does not come through a path that has shrunk");
          },
          5},
};

void play(const Trick& trick, const Lane& lane, const Endpoint& at) {
  for (int attempt = 1;; ++attempt) {
    try {
      const auto wire = outlaw(lane, at);
      trick.play({*wire, Dialogue(*wire), "outlaw-" + std::to_string(&trick - kTricks.data())});
      return;
    } catch (const std::exception&) {
      if (attempt == trick.attempts) {
        throw;
      }
    }
  }
}

/// States a message limit of 0: nobody may say a word to it, neither welcome nor refusal.
void play_deaf(const Lane& lane, const Endpoint& server, bool behaves) {
  std::unique_ptr<PacketOutlaw> deaf;
  lane.as_client([&] {
    auto terms = packet::testing::RawPeer::kGenerous;
    terms.message_limit = 0;
    deaf = std::make_unique<PacketOutlaw>(server, terms);
  });
  deaf->raw().hears = 0;
  if (behaves) {
    Dialogue(*deaf).greet();
  } else {
    deaf->say(Bytes(100, std::byte{0xEE}), nullptr);
  }
  deaf->linger(3 * silence());
}

/// Puts and gets until `enough`, and tells how long the slowest of them took.
class Honest {
  template <typename Do>
  auto timed(const char* what, Do&& act) {
    const auto start = std::chrono::steady_clock::now();
    auto result = act();
    const nanoseconds took = std::chrono::steady_clock::now() - start;
    slowest_ = std::max(slowest_, took);
    must(took < kServedWithin * patience(), std::string("an honest client waits too long ") + what);
    return result;
  }

 public:
  Honest(const Lane& lane, const Endpoint& server) : lane_(lane), server_(server) {}

  std::map<std::string, std::string> operator()(const std::atomic<bool>& enough) {
    for (std::uint64_t round = 0; !enough; ++round) {
      auto client = timed("to be let in", [&] {
        auto channel = must(lane_.connect(server_, lane_.options), "an honest client cannot connect");
        return must(Client::open(std::move(channel), {.token = kToken}), "an honest client is not let in");
      });
      const std::string path = "honest-" + std::to_string(round);
      files_[path] = store::random_text(300'000 + round, round);
      timed("to put", [&] {
        const UniqueFd from = memory_file(files_[path]);
        return must(client.upload(path, from.get(), files_[path].size(), {}), "an honest client cannot put");
      });
      timed("to get", [&] {
        const UniqueFd to = memory_file();
        const auto got = must(client.download(path, {Incoming::Sink::file, SharedFd::duplicate(to.get())}),
                              "an honest client cannot get");
        must(content_of(to.get()) == files_[path], "an honest client gets something else than it has put");
        return got;
      });
      std::this_thread::sleep_for(milliseconds(20));  // the outlaws are to have the machine, too
    }
    return files_;
  }
  nanoseconds slowest() const { return slowest_; }

 private:
  const Lane& lane_;
  Endpoint server_;
  std::map<std::string, std::string> files_;
  nanoseconds slowest_{0};
};

std::string broken_by(const std::string& name, const Work& work) {
  try {
    work();
    return {};
  } catch (const std::exception& broken) {
    return name + ": " + broken.what() + "\n";
  }
}

void compare(const std::filesystem::path& directory, const std::map<std::string, std::string>& right) {
  const std::string noise(kPart, '\xEE');
  for (const auto& [path, bytes] : right) {
    must(store::read_file(directory / path) == bytes, path + " is not what was sent for it");
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    const bool committed = name.starts_with("outlaw-");
    must(right.contains(name) || name.ends_with(".part") || (committed && store::read_file(entry.path()) == noise),
         name + " was never sent");
  }
}

std::string run(const Lane& lane) {
  const store::TestDirectory directory;
  const std::string precious = store::random_text(kLarge, 3);
  store::write_file(directory / "precious", precious);
  ChannelOptions options = lane.options;
  options.timeout = silence();
  std::string broken;
  broken += run_server(lane, options, directory.path(), [&](const Endpoint& at, protocol::Server* server) {
    std::vector<std::future<std::string>> outlaws;
    for (const Trick& trick : kTricks) {
      if (trick.carriers == On::all || (trick.carriers == On::packets) == lane.packets()) {
        outlaws.push_back(
            std::async(std::launch::async, [&] { return broken_by(trick.name, [&] { play(trick, lane, at); }); }));
      }
    }
    for (const bool behaves : {true, false}) {
      if (lane.packets()) {
        outlaws.push_back(std::async(std::launch::async, [&, behaves] {
          return broken_by("can be told nothing", [&] { play_deaf(lane, at, behaves); });
        }));
      }
    }
    std::atomic<bool> enough = false;
    Honest honest(lane, at);
    auto served = std::async(std::launch::async, [&] { return honest(enough); });
    for (auto& each : outlaws) {
      broken += each.get();
    }
    enough = true;
    auto right = served.get();
    right["precious"] = precious;
    compare(directory.path(), right);
    std::cout << lane.name << ": " << right.size() - 1 << " files put and fetched, the slowest step took "
              << std::chrono::duration<double>(honest.slowest()).count() << " s\n";
    // Nobody stays that has nobody at the other end.
    for (int i = 0; i < 3000 * patience() && server->connections() > 0; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    must(server->connections() == 0, "connections stay whose clients have gone");
  });
  return broken;
}

TEST_CASE("outlaws neither stop a server nor get at the files of others") {
  for (const auto& [lane, broken] : on_all(lanes_for_outlaws(), run, true)) {
    INFO(lane);
    CHECK(broken == "");
  }
}

}  // namespace
}  // namespace waggle::conformance
