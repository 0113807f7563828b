// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstring>

#include "protocol/server_session.hpp"

namespace waggle::protocol {
namespace {

/// Descriptors of an upload: its file's, and that of the directory in which it gets its name.
constexpr std::size_t kUpload = 2;

}  // namespace

Action ServerSession::lookup(const Head& head, const Lookup& body) {
  const bool writable = (head.flags & flag::kWritable) != 0;
  auto share = may_open(body.handle, 1);
  if (!share) {
    return error(head.request, share.error());
  }
  if (auto allowed = may_change(); writable && !allowed) {
    return error(head.request, allowed.error());
  }
  const auto opened = files_.open(body.path, writable);
  if (!opened) {
    return error(head.request, opened.error());
  }
  OpenFile& open = handles_[body.handle];
  open.file = opened->file;
  open.share = *std::move(share);
  open.writable = writable;
  open.regular = opened->attributes.type == FileType::regular;
  return reply(head.request, AttributesReply{opened->attributes});
}

Action ServerSession::getattr(const Head& head, const GetAttr& body) {
  return attributes_or_error(head, files_.attributes(body.path));
}

Action ServerSession::setattr(const Head& head, const SetAttr& body) {
  if (auto allowed = may_change(); !allowed) {
    return error(head.request, allowed.error());
  }
  const AttributeChange change{.set_mode = (head.flags & flag::kMode) != 0,
                               .mode = body.mode,
                               .set_owner = (head.flags & flag::kOwner) != 0,
                               .uid = body.uid,
                               .gid = body.gid,
                               .set_times = (head.flags & flag::kTimes) != 0,
                               .modified_ns = body.modified_ns,
                               .accessed_ns = body.accessed_ns};
  return attributes_or_error(head, files_.change(body.path, change));
}

Action ServerSession::create(const Head& head, const Create& body) {
  auto share = may_open(body.handle, kUpload);
  const auto allowed = share ? may_change() : std::unexpected(share.error());
  if (!allowed) {
    return error(head.request, allowed.error());
  }
  const auto opened = files_.create(body.path, body.size, body.mode, (head.flags & flag::kResume) != 0);
  if (!opened) {
    return error(head.request, opened.error());
  }
  OpenFile& open = handles_[body.handle];
  open.file = opened->file;
  open.share = *std::move(share);
  open.size = body.size;
  open.writable = true;
  open.upload = true;
  return (head.flags & flag::kQuiet) != 0 ? Action{} : reply(head.request, AttributesReply{opened->attributes});
}

Action ServerSession::commit(const Head& head, const Commit& body) {
  const auto open = find(body.handle);
  if (!open) {
    return error(head.request, open.error());
  }
  Result<> result;
  if (!(*open)->upload) {
    result = fail(Fault::usage, "only an upload can be committed");
  } else if ((*open)->verified.covers((*open)->size)) {
    result = files_.commit((*open)->file, (head.flags & flag::kDurable) != 0);
  } else {
    result = fail(Fault::corrupt, "the upload is not whole: some of its bytes never arrived intact");
  }
  files_.close((*open)->file, false);
  handles_.erase(body.handle);
  return ok_or_error(head, result);
}

Action ServerSession::mkdir(const Head& head, const MakeDirectory& body) {
  const auto allowed = may_change();
  return ok_or_error(head, allowed ? files_.make_directory(body.path, body.mode) : allowed);
}

Action ServerSession::remove(const Head& head, const Remove& body) {
  const auto allowed = may_change();
  return ok_or_error(head, allowed ? files_.remove(body.path) : allowed);
}

Action ServerSession::rename(const Head& head, const Rename& body) {
  const auto allowed = may_change();
  return ok_or_error(head, allowed ? files_.rename(body.from, body.to) : allowed);
}

Action ServerSession::truncate(const Head& head, const Truncate& body) {
  const auto allowed = may_change();
  return ok_or_error(head, allowed ? files_.truncate(body.path, body.size) : allowed);
}

Action ServerSession::readdir(const Head& head, const ReadDir& body) {
  auto page = files_.list(body.path, body.cookie, kPageEntries);
  if (!page) {
    return error(head.request, page.error());
  }
  return reply(head.request, Entries{page->next_cookie, std::move(page->entries)});
}

Action ServerSession::sync(const Head& head, const Sync& body) {
  const auto open = find(body.handle);
  return open ? ok_or_error(head, files_.sync((*open)->file)) : error(head.request, open.error());
}

Action ServerSession::release(const Head& head, const Release& body) {
  if (const auto open = find(body.handle)) {
    files_.close((*open)->file, (*open)->upload && (head.flags & flag::kKeep) != 0);
    handles_.erase(body.handle);
  }
  return {};
}

Action ServerSession::digest(const Head& head, const DigestRange& body) {
  const auto open = find(body.extent.handle);
  if (!open) {
    return error(head.request, open.error());
  }
  const auto& [handle, offset, length] = body.extent;
  if (auto fits = may_touch(**open, body.extent); !fits) {
    return error(head.request, fits.error());
  }
  const auto blocks = files_.digests((*open)->file, offset, length, kind_);
  if (!blocks) {
    return error(head.request, blocks.error());
  }
  // The client asks for these digests of an upload to leave out what is right already, and vouches for it.
  if ((*open)->upload && !(*open)->verified.add(offset, length)) {
    return error(head.request, Error{Fault::busy, "the upload has too many pieces", "send it in order"});
  }
  Digests answer;
  answer.blocks.reserve(blocks->size());
  digester_.reset();
  std::uint64_t left = length;
  for (const Digest& block : *blocks) {
    answer.blocks.push_back({static_cast<std::uint8_t>(digest_size(kind_)), block});
    digester_.add_block(block, std::min(left, kDigestBlock));
    left -= std::min(left, kDigestBlock);
  }
  if (!(*open)->upload) {
    files_.sent((*open)->file, offset, length, kind_, digester_.finish());  // what a resumed download will not fetch
  }
  return reply(head.request, answer);
}

Action ServerSession::echo(const Head& head, const Echo& body) {
  // The answer repeats the request's bytes, then zeros: written where the encoder would put it, since `bytes` may be as
  // long as a message and a second buffer would be copied once more.
  auto message = encode(out_, head.request, Echoed{});
  if (!message) {
    return error(head.request, message.error());
  }
  std::array<std::byte, kHeadSize> start;
  std::memcpy(start.data(), message->data(), kHeadSize);
  const ByteSpan answer = out_.take(kHeadSize + body.response_size);
  std::memcpy(answer.data(), start.data(), kHeadSize);
  const std::size_t repeated = std::min<std::size_t>(body.bytes.size(), body.response_size);
  std::copy_n(body.bytes.begin(), repeated, answer.begin() + kHeadSize);
  std::fill(answer.begin() + static_cast<std::ptrdiff_t>(kHeadSize + repeated), answer.end(), std::byte{0});
  return {.kind = Action::Kind::send, .message = answer};
}

}  // namespace waggle::protocol
