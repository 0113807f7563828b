// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/client_state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace waggle::protocol {
namespace {

/// What the slowest of disks reads or writes in a second, in bytes.
constexpr std::uint64_t kSlowestDisk = 1024 * 1024;
/// Seconds; as long as no number of nanoseconds is too large.
constexpr std::uint64_t kLongestWork = 1'000'000'000;

}  // namespace

Result<Digest> digest_of_file(ExtentDigester& digester, int file, const ExtentId& extent) {
  digester.reset();
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kDigestBlock);
  for (std::uint64_t done = 0; done < extent.length;) {
    const std::size_t want = std::min(extent.length - done, kDigestBlock);
    const ssize_t got = ::pread(file, buffer.get(), want, static_cast<off_t>(extent.offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno("cannot read the file that is sent");
    }
    if (got == 0) {
      return fail(Fault::changed, "the file shrank while it was sent");
    }
    digester.update({buffer.get(), static_cast<std::size_t>(got)});
    done += static_cast<std::uint64_t>(got);
  }
  return digester.finish();
}

std::chrono::nanoseconds Client::State::patience() const {
  return options.timeout + std::chrono::seconds(std::min(session.covered() / kSlowestDisk, kLongestWork));
}

Result<> Client::State::handshake() {
  Action action = session.start();
  while (true) {
    if (action.kind == Action::Kind::send) {
      WAGGLE_TRY(channel->send(action.message));
    }
    if (session.ready()) {
      return {};
    }
    WAGGLE_LET(event, channel->next(options.timeout));
    switch (event.kind) {
      case Event::Kind::nothing: return fail(Fault::timeout, "the server does not answer: the handshake timed out");
      case Event::Kind::closed: return fail(Fault::peer_gone, "the server closed the connection in the handshake");
      case Event::Kind::extent: return fail(Fault::protocol, "the server sent payload in the handshake");
      case Event::Kind::message: break;
    }
    WAGGLE_LET(following, session.on_handshake(event.message));
    action = following;
  }
}

Result<> Client::State::flush() {
  if (auto flushed = channel->flush(); !flushed) {
    return breaks(last_words(std::move(flushed).error()));
  }
  return {};
}

Error Client::State::last_words(Error error) {
  channel->end_receiving();
  while (error.fault == Fault::peer_gone) {
    const auto event = channel->next(std::chrono::nanoseconds(0));
    if (!event || event->kind == Event::Kind::closed || event->kind == Event::Kind::nothing) {
      break;
    }
    if (event->kind == Event::Kind::message) {
      const auto head = decode_head(event->message);
      if (head && head->op == Op::error && head->request == 0) {
        return session.on_message(event->message, {}).error();
      }
    }
  }
  return error;
}

Result<> Client::State::ask(const ExtentId& extent, const Destination& to) {
  if (extent.length > kMaxView) {
    WAGGLE_TRY(channel->expect(session.expect(extent, to.sink, to.file)));
  }
  return post(Read{extent});
}

Result<Reply> Client::State::answer(std::string_view what, const ExtentId& asked, const Destination& to) {
  WAGGLE_LET(got, reply(what, to));
  if (asked.length > kMaxView && (got.op == Op::error || got.extent.length == 0)) {
    channel->cancel(asked);  // none of it comes
  }
  return got;
}

Result<Step> Client::State::handle(std::string_view what, const Event& event, const Destination& to) {
  switch (event.kind) {
    case Event::Kind::nothing:
      return breaks({Fault::timeout,
                     fmt::format("{}: the server has not answered for {:.1f} s", what,
                                 std::chrono::duration<double>(patience()).count()),
                     "check that the server runs and can be reached"});
    case Event::Kind::closed:
      return breaks({Fault::peer_gone, fmt::format("{}: the server closed the connection", what)});
    case Event::Kind::extent: {
      const auto verified = session.on_extent(event.arrival);
      if (!verified) {
        return breaks(verified.error());
      }
      return Step{.kind = Step::Kind::payload,
                  .reply = {},
                  .view = event.arrival.view,
                  .verified = *verified,
                  .verify_ns = session.payload_verify_ns()};
    }
    case Event::Kind::message: break;
  }
  auto reply =
      session.on_message(event.message, event.announces ? std::optional(event.announced) : std::optional<ExtentId>());
  if (!reply) {
    return breaks(std::move(reply).error());
  }
  if (reply->op == Op::extent && reply->asked.length <= kMaxView) {  // ask() has expected longer ones
    if (auto expected = channel->expect(session.expect(to.sink, to.file)); !expected) {
      return breaks(std::move(expected).error());
    }
  }
  return Step{.reply = std::move(*reply)};
}

Result<Step> Client::State::step(std::string_view what, const Destination& to) {
  if (broken) {
    return std::unexpected(*broken);
  }
  auto event = channel->next(patience());
  if (!event) {
    return breaks(std::move(event).error());
  }
  return handle(what, *event, to);
}

Result<std::optional<Step>> Client::State::try_step(const Destination& to) {
  auto event = channel->next(std::chrono::nanoseconds(0));
  if (!event) {
    return breaks(std::move(event).error());
  }
  if (event->kind == Event::Kind::nothing) {
    return std::nullopt;
  }
  WAGGLE_LET(step, handle("store", *event, to));
  return step;
}

Result<Reply> Client::State::reply(std::string_view what, const Destination& to) {
  while (true) {
    WAGGLE_LET(now, step(what, to));
    if (now.kind == Step::Kind::reply && now.reply.last) {
      return std::move(now.reply);
    }
  }
}

Result<Reply> Client::State::success(std::string_view what, const Destination& to) {
  WAGGLE_LET(got, reply(what, to));
  WAGGLE_TRY(got.status);
  return got;
}

Result<Digest> Client::State::sent_digest(ExtentDigester& tap, int file, const ExtentId& extent) {
  return tap.bytes() == extent.length ? Result<Digest>(tap.finish()) : digest_of_file(tap, file, extent);
}

Result<SentExtent> Client::State::send_extent(const ExtentId& extent, int file, std::uint8_t flags,
                                              ExtentDigester& tap) {
  if (broken) {
    return std::unexpected(*broken);
  }
  tap.reset();
  WAGGLE_LET(message, session.request(Write{extent}, flags));
  auto sent = channel->send(message, Outgoing{extent, file, &tap});
  if (!sent) {
    return breaks(last_words(std::move(sent).error()));
  }
  SentExtent result;
  Done done{.valid = std::min(sent->valid, extent.length)};
  if (sent->valid < extent.length) {
    result.source = sent->source ? fail(Fault::changed, "the file shrank while it was sent") : sent->source;
  } else if (const auto digest = sent_digest(tap, file, extent)) {
    result.root = *digest;
    done.digest = {static_cast<std::uint8_t>(digest_size(options.digest)), *digest};
  } else {
    result.source = std::unexpected(digest.error());
  }
  if (!result.source) {
    done.status = wire_code(result.source.error().fault);
    done.what = std::string_view(result.source.error().what).substr(0, kMaxText);
  }
  WAGGLE_LET(end, session.done(done));
  if (auto ended = channel->send(end); !ended) {
    return breaks(last_words(std::move(ended).error()));
  }
  return result;
}

}  // namespace waggle::protocol
