# SPDX-License-Identifier: BSD-2-Clause
"""A small client of the waggle protocol, version 1, over TCP. Written from protocol/README.md alone: it shares nothing with
Waggle's own client, so that whatever the page leaves out or gets wrong is found by it."""
import hashlib
import hmac
import os
import socket
import struct
from typing import NamedTuple

import xxhash

DEFAULT_PORT = 7411
FEATURES = ("xxh3-128", "sha256", "resume", "digests", "echo")
XXH3, SHA256 = 1, 2
BLOCK = 262144
MOST_MESSAGE = 262144
MOST_EXTENT = 1 << 30

HELLO, CHALLENGE, PROOF, WELCOME = 0x01, 0x02, 0x03, 0x04
LOOKUP, GETATTR, SETATTR, READ, WRITE, CREATE, COMMIT, MKDIR = range(0x10, 0x18)
REMOVE, RENAME, TRUNCATE, READDIR, SYNC, RELEASE, DIGEST, ECHO = range(0x18, 0x20)
DONE, OK, ATTRIBUTES, EXTENT, ENTRIES, DIGESTS, ECHOED, ERROR = 0x40, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0xFF

CODES = {1: "usage", 2: "missing", 3: "not_found", 4: "exists", 5: "denied", 6: "no_space", 7: "changed", 8: "corrupt",
         9: "peer_gone", 10: "timeout", 11: "protocol", 12: "busy", 13: "cancelled", 14: "io"}

FRAME = struct.Struct(">2sBBIIIQQ")
HEAD = struct.Struct(">BBHI")
RANGE = struct.Struct(">IQQ")
FACTS = struct.Struct(">BIIIQqqQ")


class Refused(Exception):
    """An ERROR of the server, or a DONE that says that payload must not be used."""

    def __init__(self, code, what, hint="", request=None):
        super().__init__(f"{CODES.get(code, code)}: {what}; {hint}")
        self.fault, self.what, self.hint, self.request = CODES.get(code, str(code)), what, hint, request


class Broken(Exception):
    """The server did not follow the page."""


def expect(fine, what):
    if not fine:
        raise Broken(what)


class Attributes(NamedTuple):
    type: int
    mode: int
    uid: int
    gid: int
    size: int
    modified: int
    accessed: int
    version: int


class Done(NamedTuple):
    status: int
    valid: int
    version: int
    digest: bytes
    why: str


class Message(NamedTuple):
    op: int
    flags: int
    request: int
    body: bytes
    extent: tuple | None  # (handle, offset, length) of the payload
    payload: bytes


class Fields:
    """Takes fields off a message, one after another; all of them must be taken."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        expect(self.at + length <= len(self.data), "a message is too short")
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def text(self, most):
        length = self.number(2)
        expect(length <= most, "a text is too long")
        value = self.take(length)
        expect(0 not in value, "a text holds a NUL")
        return value

    def digest(self):
        size = self.number(1)
        expect(size in (0, 16, 32), "a digest has another size")
        return self.take(size)

    def attributes(self):
        facts = Attributes(*FACTS.unpack(self.take(FACTS.size)))
        expect(1 <= facts.type <= 4 and facts.mode <= 0o7777, "attributes make no sense")
        return facts

    def features(self):
        count = self.number(1)
        expect(count <= 32, "too many features")
        return [self.take(self.number(1)).decode() for _ in range(count)]

    def end(self):
        expect(self.at == len(self.data), "bytes follow the last field")


def text(value):
    value = os.fsencode(value)
    return struct.pack(">H", len(value)) + value


def feature_list(names):
    return bytes([len(names)]) + b"".join(bytes([len(name)]) + name.encode() for name in names)


def digest_of(kind, data):
    return xxhash.xxh3_128_digest(data) if kind == XXH3 else hashlib.sha256(data).digest()


def block_digests(kind, data):
    return [digest_of(kind, data[at:at + BLOCK]) for at in range(0, len(data), BLOCK)]


def root_digest(kind, data):
    return digest_of(kind, b"".join(block_digests(kind, data)))


def handle_of(number):
    return struct.pack(">I", number)


def message(op, request, fields=b"", flags=0):
    return HEAD.pack(op, flags, 0, request) + fields


def frame(data, extent=None):
    handle, offset, length = extent or (0, 0, 0)
    return FRAME.pack(b"WG", 1, 1 if extent else 0, len(data), handle, 0, offset, length) + data


class Wire:
    """Frames on a TCP connection, without any sense of what is in them."""

    def __init__(self, port=DEFAULT_PORT, host="127.0.0.1", timeout=60):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def send(self, data, extent=None, payload=b""):
        self.socket.sendall(frame(data, extent) + payload)

    def send_bytes(self, data):
        self.socket.sendall(data)

    def exactly(self, length):
        data = self.stream.read(length)
        expect(len(data) == length, "the connection ended within a frame")
        return data

    def receive(self):
        """The next message, or None when the server has closed the connection."""
        first = self.stream.read(1)
        if not first:
            return None
        magic, version, flags, length, handle, reserved, offset, size = FRAME.unpack(first + self.exactly(FRAME.size - 1))
        expect(magic == b"WG" and version == 1 and flags in (0, 1) and reserved == 0, "a frame's header is wrong")
        expect(HEAD.size <= length <= MOST_MESSAGE, "a frame's message has another size")
        expect(1 <= size <= MOST_EXTENT if flags else (handle, offset, size) == (0, 0, 0), "a frame's extent is wrong")
        data = self.exactly(length)
        op, message_flags, zero, request = HEAD.unpack_from(data)
        expect(zero == 0, "reserved bits are set")
        extent = (handle, offset, size) if flags else None
        return Message(op, message_flags, request, data[HEAD.size:], extent, self.exactly(size) if flags else b"")

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client(Wire):
    """One connection, handshake done. Every request has a method that waits for its answer; `request` and `answer` are for
    several at once."""

    def __init__(self, port=DEFAULT_PORT, token=b"", kind=XXH3, features=FEATURES, **where):
        super().__init__(port, **where)
        try:
            self.kind, self.last = kind, 0
            self.shake_hands(token, features)
        except BaseException:
            self.close()
            raise

    # The handshake

    def shake_hands(self, token, features):
        hello = message(HELLO, 0, struct.pack(">HHB", 1, 1, self.kind) + os.urandom(32) + feature_list(features))
        self.send(hello)
        got = self.answer(0, CHALLENGE)
        challenge = message(CHALLENGE, 0, got.body, got.flags)
        fields = Fields(got.body)
        expect(fields.number(2) == 1, "the server chose another version")
        fields.take(32)
        self.features = fields.features()
        fields.end()
        self.open = bool(got.flags & 1)
        if self.open and token:
            raise Broken("the server lets anybody in, so it need not be the one that knows the token")

        def mac(role):
            return hmac.digest(token, role + hello + challenge, "sha256")

        self.send(message(PROOF, 0, mac(b"waggle client 01")))
        got = self.answer(0, WELCOME)
        fields = Fields(got.body)
        if not hmac.compare_digest(fields.take(32), mac(b"waggle server 01")):
            raise Broken("the server does not know the token")
        self.read_only, self.most_handles = bool(got.flags & 1), fields.number(4)
        fields.end()

    # Requests and answers

    def request(self, op, fields=b"", flags=0, extent=None, payload=b""):
        self.last += 1
        self.send(message(op, self.last, fields, flags), extent, payload)
        return self.last

    def answer(self, request, *ops):
        """The next message, which must be one of `ops` in answer to `request`."""
        got = self.receive()
        expect(got is not None, "the server closed the connection")
        if got.op == ERROR:
            fields = Fields(got.body)
            code, what, hint = fields.number(2), fields.text(1024).decode(), fields.text(1024).decode()
            fields.end()
            expect(got.request in (0, request), "an ERROR answers nothing")
            raise Refused(code, what, hint, got.request)
        expect(got.op in ops and got.request == request, f"op {got.op:02x} answers {got.request}, not {ops} {request}")
        expect((got.extent is not None) == (got.op == EXTENT), "payload comes with the wrong message")
        return got

    def attributes(self, request):
        fields = Fields(self.answer(request, ATTRIBUTES).body)
        facts = fields.attributes()
        fields.end()
        return facts

    def ok(self, request):
        Fields(self.answer(request, OK).body).end()

    def lookup(self, handle, path, writable=False):
        return self.attributes(self.request(LOOKUP, struct.pack(">I", handle) + text(path), int(writable)))

    def getattr(self, path):
        return self.attributes(self.request(GETATTR, text(path)))

    def setattr(self, path, mode=None, owner=None, times=None):
        flags = (mode is not None) | (owner is not None) << 1 | (times is not None) << 2
        fields = struct.pack(">IIIqq", mode or 0, *(owner or (0, 0)), *(times or (0, 0)))
        return self.attributes(self.request(SETATTR, fields + text(path), flags))

    def create(self, handle, path, size, mode=0o644, resume=False):
        return self.attributes(self.request(CREATE, struct.pack(">IQI", handle, size, mode) + text(path), int(resume)))

    def commit(self, handle, durable=False):
        self.ok(self.request(COMMIT, struct.pack(">I", handle), int(durable)))

    def mkdir(self, path, mode=0o755):
        self.ok(self.request(MKDIR, struct.pack(">I", mode) + text(path)))

    def remove(self, path):
        self.ok(self.request(REMOVE, text(path)))

    def rename(self, old, new):
        self.ok(self.request(RENAME, text(old) + text(new)))

    def truncate(self, path, size):
        self.ok(self.request(TRUNCATE, struct.pack(">Q", size) + text(path)))

    def sync(self, handle):
        self.ok(self.request(SYNC, struct.pack(">I", handle)))

    def release(self, handle, keep=False):
        self.request(RELEASE, struct.pack(">I", handle), int(keep))

    def page(self, path, cookie=0):
        """Some entries of a directory as {name: attributes}, and the cookie of what follows (0: nothing)."""
        fields = Fields(self.answer(self.request(READDIR, struct.pack(">Q", cookie) + text(path)), ENTRIES).body)
        following, count = fields.number(8), fields.number(2)
        expect(count <= 512, "too many entries")
        entries = {fields.text(255): fields.attributes() for _ in range(count)}
        fields.end()
        return entries, following

    def readdir(self, path):
        entries, following = self.page(path)
        while following:
            more, following = self.page(path, following)
            entries |= more
        return entries

    def echo(self, size, data=b""):
        return self.answer(self.request(ECHO, struct.pack(">I", size) + data), ECHOED).body

    def digests(self, handle, offset, length):
        fields = Fields(self.answer(self.request(DIGEST, RANGE.pack(handle, offset, length)), DIGESTS).body)
        size, count = fields.number(1), fields.number(4)
        expect(size == (16 if self.kind == XXH3 else 32), "digests of another kind")
        found = [fields.take(size) for _ in range(count)]
        fields.end()
        return found

    # Payload

    def done_fields(self, got):
        fields = Fields(got.body)
        done = Done(fields.number(2), fields.number(8), fields.number(8), fields.digest(), fields.text(1024).decode())
        fields.end()
        expect((done.status == 0) == (done.digest != b""), "a digest comes with status 0 and only then")
        return done

    def read(self, handle, offset, length):
        """At most `length` bytes, verified, and the DONE that came with them."""
        request = self.request(READ, RANGE.pack(handle, offset, length))
        got = self.answer(request, EXTENT, DONE)
        content = got.payload
        if got.op == EXTENT:
            fields = Fields(got.body)
            expect(RANGE.unpack(fields.take(RANGE.size)) == got.extent, "EXTENT announces another extent than its frame")
            known = fields.digest()
            fields.end()
            expect(got.extent[:2] == (handle, offset) and got.extent[2] <= length, "payload that was not asked for")
            expect(known in (b"", root_digest(self.kind, content)), "the digest in EXTENT is wrong")
            got = self.answer(request, DONE)
        done = self.done_fields(got)
        if done.status != 0:
            raise Refused(done.status, done.why, request=request)
        expect(done.valid == len(content) and done.digest == root_digest(self.kind, content), "the payload is damaged")
        return content, done

    def write(self, handle, offset, content, **false):
        """Sends `content` and its DONE, in which `false` can change status, valid, version, digest, why and request."""
        extent = (handle, offset, len(content))
        request = self.request(WRITE, RANGE.pack(*extent), extent=extent, payload=content)
        self.send(message(DONE, false.pop("request", request), self.done_of(content, **false)))
        self.ok(request)

    def done_of(self, content, status=0, valid=None, version=0, digest=None, why=""):
        if digest is None:
            digest = b"" if status else root_digest(self.kind, content)
        valid = len(content) if valid is None else valid
        return struct.pack(">HQQB", status, valid, version, len(digest)) + digest + text(why)

    def upload(self, path, content, handle=1, mode=0o644):
        self.create(handle, path, len(content), mode)
        for at in range(0, len(content), MOST_EXTENT):
            self.write(handle, at, content[at:at + MOST_EXTENT])
        self.commit(handle)

    def download(self, path, handle=1):
        size = self.lookup(handle, path).size
        content = b"".join(self.read(handle, at, MOST_EXTENT)[0] for at in range(0, size, MOST_EXTENT))
        self.release(handle)
        return content
