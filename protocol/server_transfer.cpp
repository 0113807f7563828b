// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>

#include "protocol/server_session.hpp"

namespace waggle::protocol {

Action ServerSession::read(const Head& head, const Read& body) {
  const auto open = find(body.extent.handle);
  if (!open) {
    return error(head.request, open.error());
  }
  if (!(*open)->regular) {
    return error(head.request, Error{Fault::usage, "a directory cannot be read like a file", "use READDIR"});
  }
  const FileId file = (*open)->file;
  const auto attributes = files_.attributes(file);
  if (!attributes) {
    return error(head.request, attributes.error());
  }
  ExtentId extent = body.extent;
  extent.length = extent.offset < attributes->size ? std::min(extent.length, attributes->size - extent.offset) : 0;
  if (extent.length == 0) {
    const Digest empty = digest_of(kind_, {});
    return reply(head.request, Done{.version = attributes->version,
                                    .digest = {static_cast<std::uint8_t>(digest_size(kind_)), empty}});
  }
  transfer_ = {.head = head, .extent = extent, .file = file, .version = attributes->version};
  OptionalDigest known;
  if (const auto digest = files_.known_digest(file, extent.offset, extent.length, kind_)) {
    transfer_.known = *digest;
    known = {static_cast<std::uint8_t>(digest_size(kind_)), *digest};
  }
  Action action = reply(head.request, Extent{extent, known});
  digester_.reset();
  action.kind = Action::Kind::send_extent;
  // Whoever still sends it when it was released keeps descriptor and share.
  const SharedFd descriptor = files_.descriptor(file).with((*open)->share);
  action.outgoing = {extent, descriptor.get(), known.size != 0 ? nullptr : &digester_, descriptor};
  return action;
}

Result<Digest> ServerSession::root_digest(FileId file, const ExtentId& extent) {
  if (transfer_.known) {
    return *transfer_.known;
  }
  if (digester_.bytes() == extent.length) {
    return digester_.finish();
  }
  WAGGLE_LET(blocks, files_.digests(file, extent.offset, extent.length, kind_));
  digester_.reset();
  std::uint64_t left = extent.length;
  for (const Digest& block : blocks) {
    const std::uint64_t length = std::min(left, kDigestBlock);
    digester_.add_block(block, length);
    left -= length;
  }
  return digester_.finish();
}

Done ServerSession::done_after(const Sent& sent) {
  Done done{.valid = std::min(sent.valid, transfer_.extent.length)};
  const auto fails = [&](Fault fault, std::string text) {
    text_ = std::move(text);
    text_.resize(std::min(text_.size(), kMaxText));
    done.status = wire_code(fault);
    done.what = text_;
    return done;
  };
  if (sent.valid < transfer_.extent.length) {
    return sent.source ? fails(Fault::changed, "the file shrank while it was sent")
                       : fails(sent.source.error().fault, sent.source.error().what);
  }
  const auto digest = root_digest(transfer_.file, transfer_.extent);
  if (!digest) {
    return fails(digest.error().fault, digest.error().what);
  }
  files_.sent(transfer_.file, transfer_.extent.offset, transfer_.extent.length, kind_, *digest);
  const auto attributes = files_.attributes(transfer_.file);
  if (!attributes) {
    return fails(attributes.error().fault, attributes.error().what);
  }
  if (attributes->version != transfer_.version) {
    return fails(Fault::changed, "the file changed while it was sent");
  }
  done.version = attributes->version;
  done.digest = {static_cast<std::uint8_t>(digest_size(kind_)), *digest};
  return done;
}

Action ServerSession::on_sent(const Sent& sent) {
  return reply(transfer_.head.request, done_after(sent));
}

Result<> ServerSession::may_touch(const OpenFile& open, const ExtentId& extent) {
  if (!open.regular) {
    return fail(Fault::usage, "a directory cannot be read like a file", "use READDIR");
  }
  if (open.upload && (extent.offset > open.size || extent.length > open.size - extent.offset)) {
    return fail(Fault::usage, "the extent lies beyond the size that the upload was created with");
  }
  return {};
}

Result<> ServerSession::may_write(const ExtentId& extent) {
  WAGGLE_LET(open, find(extent.handle));
  if (!open->writable) {
    return fail(Fault::denied, fmt::format("handle {} is not open for writing", extent.handle));
  }
  WAGGLE_TRY(may_touch(*open, extent));
  transfer_.file = open->file;
  return {};
}

Action ServerSession::write(const Head& head, const Write& body) {
  if (!announced_ || *announced_ != body.extent) {
    return refuse(head.request, Error{Fault::protocol, "WRITE does not announce the extent that it names"});
  }
  transfer_ = {.head = head, .extent = body.extent};
  transfer_.sink = may_write(body.extent);
  digester_.reset();
  stage_ = Stage::payload;
  // What may not be written still has to be taken off the wire, and nobody wants to know what it was.
  const bool keep = transfer_.sink.has_value();
  Action action{.kind = Action::Kind::expect};
  action.incoming = {.id = body.extent,
                     .sink = keep ? Incoming::Sink::file : Incoming::Sink::discard,
                     .file = keep ? files_.descriptor(transfer_.file) : SharedFd(),
                     .digest = keep ? &digester_ : nullptr};
  return action;
}

Action ServerSession::on_extent(const Arrival& arrival) {
  if (stage_ != Stage::payload || arrival.id != transfer_.extent) {
    return refuse(transfer_.head.request, Error{Fault::protocol, "payload arrived that was not announced"});
  }
  if (transfer_.sink) {
    transfer_.sink = arrival.sink;
  }
  transfer_.root = digester_.finish();
  stage_ = Stage::done;
  return {};
}

bool ServerSession::ends_write(const Head& head, const Done& body) const {
  const bool whole = body.valid == transfer_.extent.length && body.digest.size == digest_size(kind_);
  return head.request == transfer_.head.request && body.version == 0 && body.valid <= transfer_.extent.length &&
         (body.status != 0 || whole);
}

Result<> ServerSession::written(const Done& body) {
  if (body.status != 0) {
    return fail(fault_of_code(body.status), std::string(body.what));
  }
  if (!transfer_.sink) {
    return transfer_.sink;
  }
  if (body.digest.value != transfer_.root) {
    return fail(Fault::corrupt, fmt::format("the payload arrived damaged: its digest is {} here and {} at the sender",
                                            transfer_.root.hex(kind_), body.digest.value.hex(kind_)));
  }
  return {};
}

Action ServerSession::done(const Head& head, const Done& body) {
  if (!ends_write(head, body)) {
    return refuse(transfer_.head.request, Error{Fault::protocol, "DONE does not fit the WRITE before it"});
  }
  stage_ = Stage::ready;
  auto result = written(body);
  if (const auto open = find(transfer_.extent.handle); open && (*open)->upload) {
    const auto& [handle, offset, length] = transfer_.extent;
    if (!result) {
      (*open)->verified.subtract(offset, length);
    } else if (!(*open)->verified.add(offset, length)) {
      result = fail(Fault::busy, "the upload has too many pieces", "send it in order");
    }
  }
  return ok_or_error(transfer_.head, result);
}

}  // namespace waggle::protocol
