// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/authentication.hpp"
#include "protocol/client_state.hpp"

namespace waggle::protocol {
namespace {

/// Names of one directory that are kept, however many a server sends: some 200 MiB.
constexpr std::size_t kMostListed = std::size_t{1} << 20U;

}  // namespace

Result<Client> Client::open(std::unique_ptr<Channel> channel, const ClientOptions& options) {
  WAGGLE_LET(nonce, random_nonce());
  auto state = std::make_unique<State>(std::move(channel), options, nonce);
  WAGGLE_TRY(state->handshake());
  return Client(std::move(state));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Channel& Client::channel() {
  return *state_->channel;
}

const std::vector<std::string>& Client::features() const {
  return state_->session.features();
}

Result<Attributes> Client::getattr(std::string_view path) {
  WAGGLE_TRY(state_->post(GetAttr{path}));
  WAGGLE_LET(reply, state_->success("getattr"));
  return reply.attributes;
}

Result<Attributes> Client::setattr(std::string_view path, const AttributeChange& change) {
  SetAttr body{.path = path};
  std::uint8_t flags = 0;
  if (change.set_mode) {
    flags |= flag::kMode;
    body.mode = change.mode;
  }
  if (change.set_owner) {
    flags |= flag::kOwner;
    body.uid = change.uid;
    body.gid = change.gid;
  }
  if (change.set_times) {
    flags |= flag::kTimes;
    body.modified_ns = change.modified_ns;
    body.accessed_ns = change.accessed_ns;
  }
  WAGGLE_TRY(state_->post(body, flags));
  WAGGLE_LET(reply, state_->success("setattr"));
  return reply.attributes;
}

Result<> Client::mkdir(std::string_view path, std::uint32_t mode) {
  WAGGLE_TRY(state_->post(MakeDirectory{mode, path}));
  WAGGLE_TRY(state_->success("mkdir"));
  return {};
}

Result<> Client::remove(std::string_view path) {
  WAGGLE_TRY(state_->post(Remove{path}));
  WAGGLE_TRY(state_->success("remove"));
  return {};
}

Result<> Client::rename(std::string_view from, std::string_view to) {
  WAGGLE_TRY(state_->post(Rename{from, to}));
  WAGGLE_TRY(state_->success("rename"));
  return {};
}

Result<> Client::truncate(std::string_view path, std::uint64_t size) {
  WAGGLE_TRY(state_->post(Truncate{size, path}));
  WAGGLE_TRY(state_->success("truncate"));
  return {};
}

Result<> Client::create_empty(std::string_view path, std::uint32_t mode) {
  const std::uint32_t handle = state_->new_handle();
  WAGGLE_TRY(state_->post(Create{handle, 0, mode, path}));
  WAGGLE_TRY(state_->post(Commit{handle}));
  WAGGLE_LET(created, state_->reply("create"));
  WAGGLE_LET(committed, state_->reply("create"));
  return created.status ? committed.status : created.status;
}

Result<std::vector<DirectoryEntry>> Client::readdir(std::string_view path) {
  std::vector<DirectoryEntry> all;
  std::uint64_t cookie = 0;
  do {
    WAGGLE_TRY(state_->post(ReadDir{cookie, path}));
    WAGGLE_LET(reply, state_->success("readdir"));
    auto page = decode<Entries>(Head{Op::entries, 0, reply.request}, reply.message);
    if (!page) {
      return state_->breaks(std::move(page).error());
    }
    if (page->next_cookie != 0 && page->entries.empty()) {
      return state_->breaks({Fault::protocol, "the server sent an empty page of a directory"});
    }
    if (page->entries.size() > kMostListed - all.size()) {
      return fail(Fault::usage,
                  fmt::format("{}: more than {} names in one directory are not listed", path, kMostListed),
                  "move some of them to other directories");
    }
    std::move(page->entries.begin(), page->entries.end(), std::back_inserter(all));
    cookie = page->next_cookie;
  } while (cookie != 0);
  return all;
}

Result<Client::File> Client::lookup(std::string_view path, bool writable) {
  const std::uint32_t handle = state_->new_handle();
  WAGGLE_TRY(state_->post(Lookup{handle, path}, writable ? flag::kWritable : std::uint8_t{0}));
  WAGGLE_LET(reply, state_->success("lookup"));
  return File{handle, reply.attributes};
}

Result<> Client::release(const File& file) {
  WAGGLE_TRY(state_->post(Release{file.handle}));
  return state_->flush();
}

Result<> Client::sync(const File& file) {
  WAGGLE_TRY(state_->post(Sync{file.handle}, 0, file.attributes.size));
  WAGGLE_TRY(state_->success("sync"));
  return {};
}

Result<std::vector<Digest>> Client::digests(const File& file, std::uint64_t offset, std::uint64_t length) {
  std::vector<Digest> all;
  while (length != 0) {
    const std::uint64_t piece = std::min(length, kMaxExtent);
    WAGGLE_TRY(state_->post(DigestRange{{file.handle, offset, piece}}));
    WAGGLE_LET(reply, state_->success("digests"));
    const auto body = decode<Digests>(Head{Op::digests, 0, reply.request}, reply.message);
    if (!body) {
      return state_->breaks(body.error());
    }
    if (body->blocks.size() != (piece + kDigestBlock - 1) / kDigestBlock) {
      return state_->breaks({Fault::protocol, "the server sent a wrong number of digests"});
    }
    for (const OptionalDigest& block : body->blocks) {
      all.push_back(block.value);
    }
    offset += piece;
    length -= piece;
  }
  return all;
}

namespace {

/// An answer repeats the request's bytes as far as it goes, then zeros (protocol/README.md).
bool answers(ByteView message, ByteView request, std::size_t response_size) {
  if (message.size() != kHeadSize + response_size) {
    return false;
  }
  const ByteView body = message.subspan(kHeadSize);
  const std::size_t repeated = std::min(body.size(), request.size());
  return std::ranges::equal(body.first(repeated), request.first(repeated)) &&
         std::ranges::all_of(body.subspan(repeated), [](std::byte byte) { return byte == std::byte{0}; });
}

Error wrong_echo() {
  return {Fault::corrupt, "the server's echo is not what was asked for"};
}

}  // namespace

Result<> Client::echo_send(ByteView request, std::size_t response_size) {
  if (response_size > kMaxMessage - kHeadSize) {
    return fail(Fault::usage, fmt::format("a response of {} bytes is longer than a message", response_size));
  }
  WAGGLE_TRY(state_->post(Echo{static_cast<std::uint32_t>(response_size), request}));
  return state_->flush();
}

Result<bool> Client::echo_wait(ByteView request, std::size_t response_size, std::chrono::nanoseconds timeout) {
  if (state_->broken) {
    return std::unexpected(*state_->broken);
  }
  auto event = state_->channel->next(timeout);
  if (!event) {
    return state_->breaks(std::move(event).error());
  }
  if (event->kind == Event::Kind::nothing) {
    return false;
  }
  if (event->kind != Event::Kind::message) {
    return state_->breaks({Fault::peer_gone, "echo: the server closed the connection"});
  }
  const auto reply = state_->session.on_message(
      event->message, event->announces ? std::optional(event->announced) : std::optional<ExtentId>());
  if (!reply) {
    return state_->breaks(reply.error());
  }
  WAGGLE_TRY(reply->status);
  if (!answers(reply->message, request, response_size)) {
    return state_->breaks(wrong_echo());
  }
  return true;
}

Result<std::uint64_t> Client::echo(ByteView request, std::size_t response_size) {
  if (response_size > kMaxMessage - kHeadSize) {
    return fail(Fault::usage, fmt::format("a response of {} bytes is longer than a message", response_size));
  }
  const std::uint64_t start = now_ns();
  WAGGLE_TRY(state_->post(Echo{static_cast<std::uint32_t>(response_size), request}));
  WAGGLE_LET(reply, state_->success("echo"));
  const std::uint64_t end = now_ns();
  if (!answers(reply.message, request, response_size)) {
    return state_->breaks(wrong_echo());
  }
  return end - start;
}

}  // namespace waggle::protocol
