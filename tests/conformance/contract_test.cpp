// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "tests/conformance/contract_end.hpp"

/// What datapath.hpp promises of a channel, on every lane: written once, with both ends side by side. An end that finds
/// something broken throws, which closes its channel and so ends the other one, too.
namespace waggle::conformance {
namespace {

using test::as_bytes;
using test::nameless_file;
using test::pattern;
using test::pattern_file;
using test::text_of;

struct Promise {
  const char* name;
  void (*server)(End);
  void (*client)(End);
};

constexpr std::array<std::size_t, 7> kSizes{0, 1, 1399, 1400, 5000, 70'000, 262'144};
constexpr ExtentId kExtent{7, 4096, 300'000};

constexpr Promise kMessages{"messages arrive whole and in order, both ways",
                            [](End end) {
                              for (const std::size_t size : kSizes) {
                                end.hear(text_of(pattern(size, size)));
                                end.say(pattern(size + 1, size));
                              }
                            },
                            [](End end) {
                              std::thread sends([&] {
                                for (const std::size_t size : kSizes) {
                                  static_cast<void>(end.channel.send(ByteView(pattern(size, size))));
                                }
                              });
                              sends.join();
                              for (const std::size_t size : kSizes) {
                                end.hear(text_of(pattern(size + 1, size)));
                              }
                              const std::vector<std::byte> long_one(kMaxMessage + 1);
                              must(!end.channel.send(ByteView(long_one)), "a message that is too long was sent");
                            }};

/// Expected before or after it was announced, into each sink that there is.
template <bool early>
void take_all_sinks(End end) {
  std::uint32_t handle = 0;
  for (const auto how : {Incoming::Sink::file, Incoming::Sink::discard, Incoming::Sink::view}) {
    const ExtentId id{++handle, 4096, how == Incoming::Sink::view ? 60'000U : 300'000U};
    if (!end.lane.takes(how)) {
      end.say("no");
      end.hear("then not");
      continue;
    }
    Sink sink;
    Incoming incoming = sink.incoming(id);
    incoming.sink = how;
    if (early) {
      must(end.channel.expect(incoming), "cannot expect");
    }
    end.say("yes");
    end.announced(id);
    if (!early) {
      must(end.channel.expect(incoming), "cannot expect");
    }
    const Arrival arrival = end.arrival(id);
    if (how == Incoming::Sink::view) {
      must(std::ranges::equal(arrival.view, pattern(id.offset, id.length)), "a view is not what was sent");
    } else if (how == Incoming::Sink::file) {
      sink.holds(id, id.offset);
    } else {
      must(sink.digester.bytes() == id.length, "an extent that was dropped was not digested");
      sink.is_empty();
    }
  }
}

void send_all_sinks(End end) {
  const auto source = pattern_file(400'000);
  for (const std::uint32_t handle : {1U, 2U, 3U}) {
    const ExtentId id{handle, 4096, handle == 3 ? 60'000U : 300'000U};
    if (end.hear() == "no") {
      end.say("then not");
    } else {
      const Sent sent = end.pay("here", id, source.get());
      must(sent.valid == id.length && sent.source, "not all was sent");
    }
  }
}

constexpr Promise kEarly{"an extent goes into a file, into nothing and into view", take_all_sinks<true>,
                         send_all_sinks};
constexpr Promise kLate{"an extent may be expected once it was announced", take_all_sinks<false>, send_all_sinks};

constexpr Promise kBack{"extents go from server to client as well",
                        [](End end) {
                          const auto source = pattern_file(400'000);
                          end.hear("please");
                          end.pay("here", kExtent, source.get());
                          end.hear("thanks");
                        },
                        [](End end) {
                          Sink sink;
                          must(end.channel.expect(sink.incoming(kExtent)), "cannot expect");
                          end.say("please");
                          end.announced(kExtent);
                          end.arrival(kExtent);
                          sink.holds(kExtent, kExtent.offset);
                          end.say("thanks");
                        }};

constexpr Promise kTwice{"of two expectations of one place the first is served first",
                         [](End end) {
                           Sink first;
                           Sink second;
                           must(end.channel.expect(first.incoming(kExtent)), "cannot expect");
                           must(end.channel.expect(second.incoming(kExtent)), "cannot expect again");
                           end.say("go");
                           end.announced(kExtent);
                           end.arrival(kExtent);
                           first.holds(kExtent, kExtent.offset);
                           end.say("once more");
                           end.announced(kExtent);
                           end.arrival(kExtent);
                           second.holds(kExtent, kExtent.offset + 8);
                           must(
                               first.content(kExtent.offset, kExtent.length) == pattern(kExtent.offset, kExtent.length),
                               "what came for the second went into the first, too");
                         },
                         [](End end) {
                           const auto source = pattern_file(400'000);
                           const auto other = nameless_file();
                           const auto shifted = pattern(kExtent.offset + 8, kExtent.length);
                           must(::pwrite(other.get(), shifted.data(), shifted.size(), kExtent.offset) > 0, "no file");
                           end.hear("go");
                           end.pay("first", kExtent, source.get());
                           end.hear("once more");
                           end.pay("second", kExtent, other.get());
                         }};

constexpr Promise kCancel{"the latest expectation can be taken back",
                          [](End end) {
                            Sink first;
                            Sink second;
                            must(end.channel.expect(first.incoming(kExtent)), "cannot expect");
                            must(end.channel.expect(second.incoming(kExtent)), "cannot expect again");
                            end.channel.cancel(kExtent);
                            end.channel.cancel({kExtent.handle + 1, 0, 1});  // of this there is none
                            end.say("go");
                            end.announced(kExtent);
                            end.arrival(kExtent);
                            first.holds(kExtent, kExtent.offset);
                            second.is_empty();
                          },
                          [](End end) {
                            const auto source = pattern_file(400'000);
                            end.hear("go");
                            end.pay("only", kExtent, source.get());
                          }};

constexpr ExtentId kShort{7, 4096, 1234};
constexpr Promise kShorter{"a shorter extent than expected may come",
                           [](End end) {
                             Sink sink;
                             must(end.channel.expect(sink.incoming(kExtent)), "cannot expect");
                             end.say("go");
                             end.announced(kShort);
                             end.arrival(kShort);
                             sink.holds(kShort, kShort.offset);
                           },
                           [](End end) {
                             const auto source = pattern_file(400'000);
                             end.hear("go");
                             end.pay("short", kShort, source.get());
                           }};

constexpr Promise kShrunk{"a file that ends early is told, filled up, and the channel goes on",
                          [](End end) {
                            Sink sink;
                            must(end.channel.expect(sink.incoming(kExtent)), "cannot expect");
                            end.say("go");
                            end.announced(kExtent);
                            end.arrival(kExtent);
                            must(sink.content(kExtent.offset, 40'000) == pattern(kExtent.offset, 40'000),
                                 "what was valid did not arrive");
                            end.hear("and so on");
                          },
                          [](End end) {
                            const auto source = pattern_file(kExtent.offset + 50'000);
                            end.hear("go");
                            const Sent sent = end.pay("early", kExtent, source.get());
                            must(sent.valid <= 50'000 && !sent.source, "an early end was not told");
                            end.say("and so on");
                          }};

/// The numbers that are free go to others while payload is under way.
constexpr Promise kOwns{"an expectation owns its file",
                        [](End end) {
                          Sink sink;
                          Incoming incoming = sink.incoming(kExtent);
                          const UniqueFd same(::fcntl(sink.file.get(), F_DUPFD_CLOEXEC, 0));
                          sink.file.reset();
                          must(end.channel.expect(incoming), "cannot expect");
                          incoming.file.reset();
                          const Sink other;
                          const Sink another;
                          end.say("go");
                          end.announced(kExtent);
                          end.arrival(kExtent);
                          sink.file = SharedFd::duplicate(same.get());
                          sink.holds(kExtent, kExtent.offset);
                          other.is_empty();
                          another.is_empty();
                        },
                        [](End end) {
                          const auto source = pattern_file(400'000);
                          end.hear("go");
                          end.pay("it", kExtent, source.get());
                        }};

/// As a session ends: whatever the peer still sends goes nowhere, and the file is let go of.
constexpr Promise kEnds{"nothing is placed once receiving has ended",
                        [](End end) {
                          Sink sink;
                          const UniqueFd same(::fcntl(sink.file.get(), F_DUPFD_CLOEXEC, 0));
                          must(end.channel.expect(sink.incoming(kExtent)), "cannot expect");
                          end.channel.end_receiving();
                          const int number = sink.file.get();
                          sink.file.reset();
                          must(::fcntl(number, F_GETFD) < 0 || end.lane.datapath == nullptr || !end.lane.apart,
                               "an expectation that has ended still holds its file");
                          const Sink other;  // takes the number, if it is free
                          end.say("go");
                          // Until the peer has closed, or the channel has enough of it.
                          for (;;) {
                            const auto event = end.channel.next(kPatience * patience());
                            if (!event || event->kind == Event::Kind::closed) {
                              break;
                            }
                            must(event->kind != Event::Kind::nothing, "the peer is still there and says nothing");
                          }
                          other.is_empty();
                          must(test::size_of(same.get()) == 0, "payload was placed after the end");
                        },
                        [](End end) {
                          const auto source = pattern_file(400'000);
                          end.hear("go");
                          // It may break the channel.
                          if (end.channel.send(as_bytes("late"), Outgoing{kExtent, source.get(), nullptr})) {
                            static_cast<void>(end.channel.flush());
                          }
                        }};

constexpr Promise kCloses{"nothing comes before its time, and closing in order is no error",
                          [](End end) {
                            const Event event = must(end.channel.next(std::chrono::nanoseconds(0)), "no event");
                            must(event.kind == Event::Kind::nothing, "something came that was not sent");
                            end.say("now");
                            end.closed();
                          },
                          [](End end) { end.hear("now"); }};

constexpr Promise kAborts{"an abort ends whoever waits",
                          [](End end) {
                            end.hear("here");
                            std::thread aborts([&] { end.channel.abort(); });
                            const auto event = end.channel.next(std::chrono::nanoseconds(-1));
                            aborts.join();
                            must(!event && event.error().fault == Fault::cancelled, "an abort has another name");
                          },
                          [](End end) {
                            end.say("here");
                            const auto event = end.channel.next(kPatience * patience());
                            must(!event || event->kind == Event::Kind::closed, "an abort did not end the connection");
                          }};

constexpr Promise kSense{"what makes no sense is refused where it is asked for, and breaks nothing",
                         [](End end) {
                           const auto refused = [](const auto& result) {
                             must(!result && result.error().fault == Fault::usage, "nonsense was not refused");
                           };
                           Sink sink;
                           const auto& [id, how, file, digest] = sink.incoming(kExtent);
                           refused(end.channel.expect({id, how, {}, digest}));
                           refused(end.channel.expect({id, how, file, nullptr}));
                           refused(end.channel.expect({{1, 0, kMaxView + 1}, Incoming::Sink::view, {}, nullptr}));
                           refused(end.channel.send({}, Outgoing{{1, 0, kMaxExtent + 1}, file.get(), nullptr}));
                           refused(end.channel.send({}, Outgoing{{1, INT64_MAX, 1}, file.get(), nullptr}));
                           refused(end.channel.send({}, Outgoing{{1, UINT64_MAX, 1}, file.get(), nullptr}));
                           end.say("still here");
                           end.closed();
                         },
                         [](End end) { end.hear("still here"); }};

constexpr std::array kPromises{kMessages, kEarly, kLate, kBack,  kTwice,  kCancel, kShorter,
                               kShrunk,   kOwns,  kEnds, kSense, kCloses, kAborts};

/// One connection after the other, in the order in which they come. The first one is idle and outlives them: where
/// connections share a port it stays open.
void keep_all(Listener& listener, const Lane& lane) {
  auto first = must(listener.accept(), "cannot accept");
  const std::jthread idles([idle = std::move(first)] { static_cast<void>(idle->next(std::chrono::nanoseconds(-1))); });
  for (const Promise& promise : kPromises) {
    try {
      const auto channel = must(listener.accept(), "cannot accept");
      promise.server({*channel, lane});
    } catch (const Broken& broken) {
      throw Broken(std::string(promise.name) + ": " + broken.what());
    }
  }
}

void ask_all(const Endpoint& server, const Lane& lane) {
  const auto idle = must(lane.connect(server, lane.options), "cannot connect");
  for (const Promise& promise : kPromises) {
    try {
      const auto channel = must(lane.connect(server, lane.options), "cannot connect");
      promise.client({*channel, lane});
    } catch (const Broken& broken) {
      throw Broken(std::string(promise.name) + ": " + broken.what());
    }
  }
}

std::string run(const Lane& lane) {
  return run_ends(
      lane, lane.options, [&](Listener& listener) { keep_all(listener, lane); },
      [&](const Endpoint& server) { ask_all(server, lane); });
}

TEST_CASE("every channel keeps its contract") {
  for (const auto& [lane, broken] : on_all(lanes(), run)) {
    INFO(lane);
    CHECK(broken == "");
  }
}

}  // namespace
}  // namespace waggle::conformance
