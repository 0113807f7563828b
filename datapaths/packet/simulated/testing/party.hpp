// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/host.hpp"
#include "datapaths/packet/simulated/testing/world.hpp"

namespace waggle::packet::testing {

/// Files of one side in memory: one with random content to send, one that receives.
class Files {
 public:
  static constexpr std::byte kUntouched{0xA5};
  /// `side` chooses the content; both files are `size` bytes long, at most kMost.
  Files(int side, std::uint64_t size);
  static constexpr std::uint64_t kMost = std::uint64_t{8} << 20U;

  int source() const { return source_; }
  const SharedFd& sink() const { return sink_; }
  static ByteView content(int side);  ///< of the source
  /// Every byte of the sink is either untouched or, inside one of `offered`, what `from` has there; all of `complete`
  /// has arrived. Throws a Violation otherwise.
  void check(int from, const std::vector<ExtentId>& offered, const std::vector<ExtentId>& complete) const;

 private:
  int source_;
  SharedFd sink_;
  std::uint64_t size_;
};

/// What a client asks for.
struct Job {
  ExtentId id;
  bool put = false;      ///< to the server, or else from it
  bool unasked = false;  ///< put: payload leaves before the server is ready for it
  Incoming::Sink sink = Incoming::Sink::file;
  std::uint32_t ballast = 0;  ///< bytes that the request carries besides
};

/// One end of a connection that moves files, in the simplest protocol that can: fixed notes in the message stream.
/// Checks what it gets, and throws a Violation when it is wrong.
class Party {
 public:
  /// A server's end.
  Party(Host& host, Connection& connection, Files& files, int side) : Party(host, connection, files, side, {}, 0) {}
  /// A client's: up to `concurrency` jobs at once.
  Party(Host& host, Connection& connection, Files& files, int side, std::vector<Job> jobs, std::size_t concurrency);

  void act(Time now);

  bool finished() const { return finished_ == jobs_.size() && side_ == 1; }  ///< client: all jobs verified
  bool over() const { return connection_->failure() || connection_->peer_closed(); }
  const std::optional<Error>& failure() const { return connection_->failure(); }
  Connection& connection() { return *connection_; }
  std::uint64_t verified_bytes() const { return verified_bytes_; }
  const std::vector<ExtentId>& complete() const { return complete_; }  ///< arrived in the sink file and verified

 private:
  enum class Kind : std::uint8_t { get, put, will_put, go, data, digest, done };
  struct Note {
    Kind kind = Kind::get;
    Incoming::Sink sink = Incoming::Sink::file;
    ExtentId id;
    std::uint32_t ballast = 0;
    Digest digest;
  };
  struct Sending {
    ExtentId id;
    ExtentDigester digest{DigestKind::xxh3_128};
  };
  struct Receiving {
    Incoming incoming;
    ExtentDigester digest{DigestKind::xxh3_128};
    std::uint32_t sequence = 0;
    Inbound* extent = nullptr;
    std::optional<Digest> got;
  };

  void tell(const Note& note);
  bool take_note();
  void heed(const Note& note);
  void begin_jobs();
  void expect(const ExtentId& id, Incoming::Sink sink);
  void announced(const ExtentId& id);
  void deliver();
  void verify(const Note& note);

  Host* host_;
  Connection* connection_;
  Files* files_;
  int side_;
  std::vector<Job> jobs_;
  std::size_t concurrency_;
  std::size_t begun_ = 0;
  std::size_t finished_ = 0;
  std::deque<Note> outbox_;
  std::list<Sending> sending_;
  std::vector<Note> late_;  // digests that came before their payload
  std::list<Receiving> receiving_;
  std::uint32_t announced_ = 0;
  std::uint32_t handed_over_ = 0;
  std::uint64_t verified_bytes_ = 0;
  std::vector<ExtentId> complete_;
};

}  // namespace waggle::packet::testing
