// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/testing/party.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace waggle::packet::testing {
namespace {

constexpr std::size_t kNote = 64;

struct Content {
  UniqueFd file;
  std::vector<std::byte> bytes;
};

UniqueFd memory_file(ByteView bytes) {
  UniqueFd file(::memfd_create("simulated", MFD_CLOEXEC));
  must(file && ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
       "cannot make a file in memory");
  return file;
}

const Content& content_of(int side) {
  static const std::array<Content, 2> contents = [] {
    std::array<Content, 2> made;
    std::mt19937_64 random(1);
    for (Content& content : made) {
      content.bytes.resize(Files::kMost);
      for (std::size_t at = 0; at < content.bytes.size(); at += 8) {
        const std::uint64_t word = random();
        std::memcpy(content.bytes.data() + at, &word, 8);
      }
      content.file = memory_file(content.bytes);
    }
    return made;
  }();
  return contents.at(static_cast<std::size_t>(side));
}

std::byte ballast_at(std::uint32_t handle, std::uint32_t at) {
  return static_cast<std::byte>(handle * 31 + at * 7);
}

}  // namespace

Files::Files(int side, std::uint64_t size) : source_(content_of(side).file.get()), size_(size) {
  sink_ = SharedFd(memory_file(std::vector(size, kUntouched)));
}

ByteView Files::content(int side) {
  return content_of(side).bytes;
}

void Files::check(int from, const std::vector<ExtentId>& offered, const std::vector<ExtentId>& complete) const {
  std::vector<std::byte> bytes(size_ + 1);
  const auto got = ::pread(sink_.get(), bytes.data(), bytes.size(), 0);
  must(got == static_cast<ssize_t>(size_), "the sink file has another length than before");
  const ByteView right = content(from);
  for (const ExtentId& id : complete) {
    must(std::memcmp(bytes.data() + id.offset, right.data() + id.offset, id.length) == 0,
         "a verified extent is not what was sent");
  }
  for (const ExtentId& id : offered) {
    for (std::uint64_t at = id.offset; at < id.offset + id.length; ++at) {
      must(bytes[at] == right[at] || bytes[at] == kUntouched, "wrong bytes were written");
      bytes[at] = kUntouched;
    }
  }
  bytes.resize(size_);
  must(std::ranges::all_of(bytes, [](std::byte byte) { return byte == kUntouched; }),
       "bytes were written outside the offered extents");
}

Party::Party(Host& host, Connection& connection, Files& files, int side, std::vector<Job> jobs, std::size_t concurrency)
    : host_(&host),
      connection_(&connection),
      files_(&files),
      side_(side),
      jobs_(std::move(jobs)),
      concurrency_(concurrency) {}

void Party::tell(const Note& note) {
  outbox_.push_back(note);
}

void Party::act(Time now) {
  if (connection_->state() != Connection::State::established) {
    return;
  }
  std::uint64_t before = connection_->messages_in().read();
  while (take_note()) {
  }
  deliver();
  for (const Note& note : std::exchange(late_, {})) {
    verify(note);
  }
  while (!sending_.empty() && sending_.front().digest.bytes() == sending_.front().id.length) {
    tell({.kind = Kind::digest, .id = sending_.front().id, .digest = sending_.front().digest.finish()});
    sending_.pop_front();
  }
  begin_jobs();
  while (!outbox_.empty()) {
    const Note& note = outbox_.front();
    MessageSender& stream = connection_->messages_out();
    if (stream.room() < kNote + note.ballast) {
      break;
    }
    std::vector<std::byte> bytes(kNote + note.ballast);
    bytes[0] = static_cast<std::byte>(note.kind);
    bytes[1] = static_cast<std::byte>(note.sink);
    store_be(bytes.data() + 4, note.id.handle);
    store_be(bytes.data() + 8, note.id.offset);
    store_be(bytes.data() + 16, note.id.length);
    store_be(bytes.data() + 24, note.ballast);
    std::ranges::copy(note.digest.bytes, bytes.begin() + 32);
    for (std::uint32_t at = 0; at < note.ballast; ++at) {
      bytes[kNote + at] = ballast_at(note.id.handle, at);
    }
    stream.write(bytes);
    if (note.kind == Kind::data || note.kind == Kind::put) {
      Sending& sending = sending_.emplace_back();
      sending.id = note.id;
      connection_->offer(note.id, SharedFd::duplicate(files_->source()), &sending.digest);
    }
    outbox_.pop_front();
    host_->wake(*connection_);
  }
  if (connection_->messages_in().read() != before) {
    connection_->consumed(now);
    host_->wake(*connection_);
  }
}

bool Party::take_note() {
  MessageReceiver& stream = connection_->messages_in();
  if (stream.available() < kNote) {
    return false;
  }
  std::array<std::byte, kNote> bytes;
  std::ranges::copy(stream.view(0, kNote), bytes.begin());
  Note note{.kind = static_cast<Kind>(bytes[0]),
            .sink = static_cast<Incoming::Sink>(bytes[1]),
            .id = {load_be<std::uint32_t>(bytes.data() + 4), load_be<std::uint64_t>(bytes.data() + 8),
                   load_be<std::uint64_t>(bytes.data() + 16)},
            .ballast = load_be<std::uint32_t>(bytes.data() + 24)};
  std::ranges::copy(ByteView(bytes).subspan(32, 32), note.digest.bytes.begin());
  if (stream.available() < kNote + note.ballast) {
    return false;
  }
  const ByteView ballast = stream.view(kNote, note.ballast);
  for (std::uint32_t at = 0; at < note.ballast; ++at) {
    must(ballast[at] == ballast_at(note.id.handle, at), "a message is not what was sent");
  }
  stream.consume(kNote + note.ballast);
  heed(note);
  return true;
}

void Party::heed(const Note& note) {
  switch (note.kind) {
    case Kind::get: tell({.kind = Kind::data, .id = note.id}); break;
    case Kind::will_put:
      expect(note.id, Incoming::Sink::file);
      tell({.kind = Kind::go, .id = note.id});
      break;
    case Kind::go: tell({.kind = Kind::put, .id = note.id}); break;
    case Kind::put:
      if (std::ranges::none_of(receiving_, [&](const Receiving& each) { return each.incoming.id == note.id; })) {
        expect(note.id, note.sink);
      }
      announced(note.id);
      break;
    case Kind::data: announced(note.id); break;
    case Kind::digest: verify(note); break;
    case Kind::done: ++finished_; break;
    default: throw Violation("a message makes no sense");
  }
}

void Party::begin_jobs() {
  while (begun_ < jobs_.size() && begun_ - finished_ < concurrency_) {
    const Job& job = jobs_[begun_++];
    if (job.put) {
      tell({.kind = job.unasked ? Kind::put : Kind::will_put, .sink = job.sink, .id = job.id, .ballast = job.ballast});
    } else {
      expect(job.id, job.sink);
      tell({.kind = Kind::get, .id = job.id, .ballast = job.ballast});
    }
  }
}

void Party::expect(const ExtentId& id, Incoming::Sink sink) {
  Receiving& receiving = receiving_.emplace_back();
  receiving.incoming = {.id = id, .sink = sink, .file = files_->sink(), .digest = &receiving.digest};
  connection_->expect(receiving.incoming);
}

void Party::announced(const ExtentId& id) {
  const auto found = std::ranges::find_if(
      receiving_, [&](const Receiving& each) { return each.incoming.id == id && each.extent == nullptr; });
  must(found != receiving_.end(), "an extent was announced that nobody asked for");
  found->sequence = announced_++;
  found->extent = connection_->announced(found->sequence, id);
  must(found->extent != nullptr, "the transport does not know an expected extent");
  host_->place_staged(*connection_, *found->extent);
}

/// In the order in which they were announced.
void Party::deliver() {
  for (bool more = true; more;) {
    more = false;
    for (Receiving& each : receiving_) {
      if (each.extent == nullptr || each.got || each.sequence != handed_over_ || !each.extent->complete()) {
        continue;
      }
      must(each.extent->sink().has_value(), "the sink failed");
      const ExtentId& id = each.incoming.id;
      if (each.incoming.sink == Incoming::Sink::view) {
        const ByteView right = Files::content(1 - side_).subspan(id.offset, id.length);
        must(std::ranges::equal(each.extent->view().first(id.length), right), "a view is not what was sent");
        each.got.emplace();
      } else {
        each.digest.adopt(each.extent->digester());
        must(each.digest.bytes() == id.length, "a complete extent was not digested whole");
        each.got = each.digest.finish();
      }
      ++handed_over_;
      connection_->delivered(*each.extent);
      more = true;
    }
  }
}

void Party::verify(const Note& note) {
  deliver();
  const auto found =
      std::ranges::find_if(receiving_, [&](const Receiving& each) { return each.incoming.id == note.id; });
  must(found != receiving_.end(), "a digest came of something that nobody asked for");
  if (!found->got) {
    // Messages overtake payload: keep it until that is here.
    late_.push_back(note);
    return;
  }
  must(found->incoming.sink == Incoming::Sink::view || *found->got == note.digest, "digests differ");
  verified_bytes_ += note.id.length;
  if (found->incoming.sink == Incoming::Sink::file) {
    complete_.push_back(note.id);
  }
  receiving_.erase(found);
  if (side_ == 0) {
    tell({.kind = Kind::done, .id = note.id});
  } else {
    ++finished_;
  }
}

}  // namespace waggle::packet::testing
