// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"
#include "protocol/file_service.hpp"

namespace waggle::protocol {

struct ClientOptions {
  std::string token;  ///< shared secret; empty: the server must allow that
  DigestKind digest = DigestKind::xxh3_128;
  std::size_t pipeline = 128;  ///< most requests under way at once in the *_many calls
  /// Longest wait for a reply without any progress; a second more for each MiB that the server reads or makes durable.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  Progress* progress = nullptr;  ///< told of every verified byte; may be shared memory
};

/// Where fetched bytes go. `discard` digests and drops them.
struct Destination {
  Incoming::Sink sink = Incoming::Sink::discard;
  SharedFd file = {};  ///< for Sink::file: open read-write; bytes are placed at their own offset
};

/// One verified movement of payload.
struct Transferred {
  std::uint64_t bytes = 0;
  std::uint64_t latency_ns = 0;  ///< request sent -> last byte verified
  std::uint64_t verify_ns = 0;   ///< of that, spent in hashing on this side
  Digest digest;                 ///< root digest of the extent
  std::uint64_t version = 0;     ///< of the content that was read, see Attributes; 0 for a write
  std::uint64_t unchanged = 0;   ///< of an upload: bytes that the server had already, or that are holes on both sides
};

/// The client's side of one connection: blocking calls over a Channel, each verified end to end before it returns.
/// One thread at a time. Every error of the server comes back with its Fault and text.
class Client {
 public:
  /// Negotiates version and features and proves the token. Owns the channel.
  static Result<Client> open(std::unique_ptr<Channel> channel, const ClientOptions& options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  Channel& channel();
  /// Features that both sides have.
  const std::vector<std::string>& features() const;

  // Metadata: one round trip each.
  Result<Attributes> getattr(std::string_view path);
  Result<Attributes> setattr(std::string_view path, const AttributeChange& change);
  Result<> mkdir(std::string_view path, std::uint32_t mode);
  Result<> remove(std::string_view path);
  Result<> rename(std::string_view from, std::string_view to);
  Result<> truncate(std::string_view path, std::uint64_t size);
  Result<> create_empty(std::string_view path, std::uint32_t mode);
  Result<std::vector<DirectoryEntry>> readdir(std::string_view path);

  /// An open file of the server. Handles are chosen by the client, so open + read + release can share a round trip.
  struct File {
    std::uint32_t handle = 0;
    Attributes attributes;
  };
  Result<File> lookup(std::string_view path, bool writable = false);
  Result<> release(const File& file);
  Result<> sync(const File& file);
  /// Reads [offset, offset + length); a shorter result means end of file. Split into extents of kMaxExtent, all of
  /// which must be of one version (Fault::changed).
  Result<Transferred> read(const File& file, std::uint64_t offset, std::uint64_t length, const Destination& to);
  /// Writes into an existing file, in place.
  Result<Transferred> write(const File& file, std::uint64_t offset, std::uint64_t length, int from);
  /// Block digests of a range, computed by the server.
  Result<std::vector<Digest>> digests(const File& file, std::uint64_t offset, std::uint64_t length);

  /// Whole file: lookup, read, release in one round trip. Fault::changed if it changed meanwhile.
  Result<Transferred> download(std::string_view path, const Destination& to);
  /// Whole file from `from` (open for reading, `size` bytes): create, write, commit. Visible only when verified.
  /// `resume`: continue what a broken upload of the same path and size left; only blocks that differ are sent.
  struct UploadOptions {
    std::uint32_t mode = 0644;
    bool durable = false;
    bool resume = false;
    std::uint64_t extent = kMaxExtent;  ///< bytes per WRITE; smaller ones make progress visible
    /// Asked once all bytes have been read and before they are committed: an error, that the source has changed
    /// meanwhile for instance, calls the upload off.
    std::function<Result<>()> still_right = {};
    /// Told of bytes that need not be sent, see Transferred::unchanged.
    std::function<void(std::uint64_t bytes)> there = {};
  };
  Result<Transferred> upload(std::string_view path, int from, std::uint64_t size, const UploadOptions& options);

  /// Pipelined: up to `pipeline` requests under way. Results come in order, by index into `paths`. A file of up to
  /// kMaxView bytes is shown, verified, in `content`; longer ones are a usage error of the caller. Returning an
  /// error from `done` stops and is returned. Attributes are those of the served file.
  struct Fetched {
    std::size_t index = 0;
    ByteView content;
    Attributes attributes;
    std::uint64_t latency_ns = 0;
    std::uint64_t verify_ns = 0;
  };
  /// What becomes of a file that could not be moved: an error ends the whole call, success goes on with the others. Not
  /// asked when the connection is lost. Empty: the first such error ends the call.
  using Failed = std::function<Result<>(std::size_t index, const Error& error)>;
  Result<> fetch_many(std::span<const std::string> paths, const std::function<Result<>(const Fetched&)>& done,
                      const Failed& failed = {});
  /// Pipelined uploads of small files: `source` opens the file at an index.
  struct Small {
    std::string path;
    UniqueFd from;  ///< closed by store_many once sent
    std::uint64_t size = 0;
    std::uint32_t mode = 0644;
    bool durable = false;  ///< as of an upload
    /// Asked when all has been sent: on an error the file does not appear under its name, and fails with that.
    std::function<Result<>()> still_right = {};
  };
  Result<> store_many(std::size_t count, const std::function<Result<Small>(std::size_t)>& source,
                      const std::function<Result<>(std::size_t index, std::uint64_t latency_ns)>& done,
                      const Failed& failed = {});

  /// Request of `request` bytes, response of `response_size` bytes; both at most kMaxMessage less a header.
  /// Every byte of the response is compared, after the clock.
  Result<std::uint64_t> echo(ByteView request, std::size_t response_size);  ///< round trip in ns
  /// The halves of echo() for open-loop load: responses come in order of the requests.
  Result<> echo_send(ByteView request, std::size_t response_size);
  /// True when one response has arrived within `timeout`. Fault::corrupt when it is not that to `request`.
  Result<bool> echo_wait(ByteView request, std::size_t response_size, std::chrono::nanoseconds timeout);
  /// Pipelined reads at random offsets for queue depth > 1: see read().
  struct ReadRequest {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  /// Keeps `depth` reads under way; `next` gives the following request or nothing when done.
  Result<> read_many(const File& file, std::size_t depth, const std::function<bool(ReadRequest&)>& next,
                     const std::function<Result<>(const Transferred&)>& done);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace waggle::protocol
