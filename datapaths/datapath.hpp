// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/mode.hpp"
#include "base/option.hpp"
#include "base/registry.hpp"
#include "base/result.hpp"
#include "base/shared_fd.hpp"
#include "base/words.hpp"

/// What every datapath offers to a session: ordered small messages both ways, and the movement of extents of files in
/// the datapath's own way. Nothing here knows the protocol, the workloads or the harness.
namespace waggle {

/// What makes bytes reliable: kernel TCP, or our own transport over frames.
enum class Carrier { stream, packet };
constexpr auto words_of(Carrier) {
  return std::to_array<Word<Carrier>>({{Carrier::stream, "stream"}, {Carrier::packet, "packet"}});
}
/// Which end of a transfer a process is.
enum class Side { sender, receiver };
constexpr auto words_of(Side) {
  return std::to_array<Word<Side>>({{Side::sender, "sender"}, {Side::receiver, "receiver"}});
}
/// Sleep in the kernel until something arrives, or ask again and again.
enum class Wait { sleep, spin };
constexpr auto words_of(Wait) {
  return std::to_array<Word<Wait>>({{Wait::sleep, "sleep"}, {Wait::spin, "spin"}});
}
/// Where a veth's receive work runs: in softirq context on the sender's CPU, or in a kernel thread on the receiver's.
enum class Napi { softirq, threaded };

/// Longest message in bytes. File payload never travels in messages.
inline constexpr std::size_t kMaxMessage = 256 * 1024;
/// Longest extent in bytes that one frame may announce: a sender whose file shrinks must still fill what it announced.
inline constexpr std::uint64_t kMaxExtent = 1024 * 1024 * 1024;
/// Longest extent in bytes that a view sink takes.
inline constexpr std::uint64_t kMaxView = 64 * 1024;

/// Names a piece of payload on the wire: `handle` is chosen by the client and unique among its open files.
struct ExtentId {
  std::uint32_t handle = 0;
  std::uint64_t offset = 0;  ///< bytes from the start of the file
  std::uint64_t length = 0;  ///< bytes, at most kMaxExtent
  bool operator==(const ExtentId&) const = default;
};

/// An extent to send. The file belongs to the caller and must stay open until send() returns.
struct Outgoing {
  ExtentId id;
  int file = -1;  ///< open for reading; bytes [id.offset, id.offset + id.length) of it are sent
  /// When set: a mover that has the bytes in user memory feeds all of them to it, in order, and one that does not
  /// leaves it untouched (bytes() == 0). Saves the second pass over the file that a digest would otherwise cost.
  ExtentDigester* digest = nullptr;
  /// The same file, when it is shared: who reads it for longer than send() lasts keeps this one. Without it a duplicate
  /// is made.
  SharedFd shared = {};
};

/// What became of an extent that was sent. `valid` < length when the file shrank or could not be read any further: zero
/// bytes filled the rest on the wire, and the session must tell the peer.
struct Sent {
  std::uint64_t valid = 0;  ///< bytes that really came from the file
  Result<> source;          ///< why the rest did not
};

/// Where an extent that is to arrive must go. The digester belongs to the caller and must stay until the Arrival was
/// returned, the expectation cancelled or receiving ended; the file is owned by whoever may still write into it.
struct Incoming {
  enum class Sink {
    file,     ///< into `file` at id.offset
    discard,  ///< nowhere: digested, when there is a digester, and dropped
    view      ///< shown in Arrival::view, in the channel's own memory; id.length <= kMaxView
  };
  ExtentId id;
  Sink sink = Sink::discard;
  SharedFd file;  ///< for Sink::file: open for reading and writing, not O_APPEND
  /// Fed with all bytes of the extent in order (read back from the file by the carrier where a mover never sees them);
  /// required for file, unused for view. A discard without one is dropped unseen, which every receiver can.
  ExtentDigester* digest = nullptr;
};

constexpr auto words_of(Incoming::Sink) {
  using Sink = Incoming::Sink;
  return std::to_array<Word<Sink>>({{Sink::file, "file"}, {Sink::discard, "discard"}, {Sink::view, "view"}});
}

/// An extent that has arrived whole. When the sink failed (disk full …) the payload was drained and the channel is
/// still usable.
struct Arrival {
  ExtentId id;
  Result<> sink;
  ByteView view;  ///< for Sink::view; valid until the next call on the channel
};

/// What next() brings.
struct Event {
  enum class Kind {
    message,  ///< `message` is set; when `announces` is, that extent is the next event and must have been expect()ed
    extent,   ///< `arrival` is set
    closed,   ///< the peer has closed in order, between messages
    nothing   ///< the deadline has passed
  };
  Kind kind = Kind::nothing;
  ByteView message;  ///< valid until the next call on the channel
  bool announces = false;
  ExtentId announced;
  Arrival arrival;
};

/// What a channel is made of.
struct Facts {
  std::string sender;    ///< the datapath that moves outgoing extents
  std::string receiver;  ///< the datapath that moves incoming extents
  Carrier carrier = Carrier::stream;
  std::vector<Mode> modes;
};

/// A count that only this datapath knows: "zerocopy_copied_bytes", "retransmissions", "empty_polls" …
using Counters = std::map<std::string, std::uint64_t>;

/// One connection between a client and a server. Used by one thread at a time; only abort() may come from another.
class Channel {
 public:
  virtual ~Channel() = default;
  /// As they are now: what was granted is asked again, since it may have been lost on the way. May be called from any
  /// thread.
  virtual Facts facts() const = 0;
  /// May be called from any thread.
  virtual Counters counters() const = 0;

  /// Queues a message. It leaves at the next flush(), next() or extent, or when enough is queued.
  virtual Result<> send(ByteView message) = 0;
  /// Sends a message and after it the payload of an extent. Returns when the file may be closed. What lends its pages
  /// to the kernel (sendfile, splice) sends what they hold when they leave: the digest finds a change until then.
  virtual Result<Sent> send(ByteView message, const Outgoing& extent) = 0;
  virtual Result<> flush() = 0;

  /// Says where an announced extent goes, matched by (handle, offset); of several for one place the first expected is
  /// the first served. Must be called before the next() that moves it, may be called long before. A shorter extent than
  /// expected may arrive (end of file), a longer one is an error.
  virtual Result<> expect(const Incoming& incoming) = 0;
  /// Takes back the latest expectation for (id.handle, id.offset), whose extent will not be announced. Without one
  /// nothing happens.
  virtual void cancel(const ExtentId& id) = 0;
  /// Ends all expectations and lets go of their files and digesters: from now on no byte is placed anywhere. Extents
  /// that still come are dropped, and arrive with a sink of Fault::cancelled. To be called before what they belong to
  /// goes away; the destructor does it too.
  virtual void end_receiving() noexcept = 0;
  /// Flushes, then waits for the next event. With timeout 0 nothing is waited for; a negative one waits for ever, as
  /// long as the peer is known to be alive. Between the bytes of one frame ChannelOptions::timeout holds instead. After
  /// an error nothing arrives any more; unless the connection itself is gone, send() and flush() still take last words.
  virtual Result<Event> next(std::chrono::nanoseconds timeout) = 0;

  /// Ends all pending and later calls with Fault::cancelled; safe from any thread and from a signal handler.
  virtual void abort() noexcept = 0;
};

/// Where to listen or connect to.
struct Endpoint {
  std::string host;  ///< IPv4 or IPv6 address or name; empty means all addresses when listening
  std::uint16_t port = 0;
};

/// Longest message in bytes that is taken from a peer which was not admitted yet.
inline constexpr std::size_t kMaxStrangerMessage = 4096;

/// The first messages of a connection as the listening side sees them, without I/O: they tell whether the peer may come
/// in before a thread, a mover or more than a few kilobytes are spent on it.
class Admission {
 public:
  virtual ~Admission() = default;
  enum class Verdict { wait, admit, refuse };
  struct Answer {
    Verdict verdict = Verdict::wait;
    ByteView reply;  ///< a message to send, or nothing; valid until the next call
  };
  /// A message of the peer, at most kMaxStrangerMessage bytes. `announces`: payload would follow it.
  virtual Answer on_message(ByteView message, bool announces) = 0;
  /// The message that tells the peer why the listener itself ends the connection: no room, no patience, no frame.
  virtual ByteView refusal(const Error& why) = 0;
  /// Why on_message() has refused.
  virtual const Error& failure() const = 0;
};

/// How a listener tells friends from strangers. All functions are called from accept() and must not block.
struct Gate {
  std::function<std::unique_ptr<Admission>()> admission;  ///< a new one for every peer
  /// Peers under way at once. One more takes the place of the oldest of the address that has most of them.
  std::size_t most_strangers = 1024;
  std::chrono::nanoseconds patience = std::chrono::seconds(10);  ///< from the first packet to the verdict, at most
  /// Whether one more may be admitted now: Fault::busy when not.
  std::function<Result<>()> room = [] { return Result<>(); };
  std::function<void(const Error&)> refused = {};  ///< hears why somebody was turned away; may be empty
};

/// A peer that was let in. Its channel stands behind the last message of the admission.
struct Admitted {
  std::unique_ptr<Channel> channel;
  std::unique_ptr<Admission> admission;
};

/// Waits for connections. accept() and abort() may be called from different threads.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Where it really sits, with the address in digits.
  virtual Endpoint endpoint() const = 0;
  /// Whether others may reach it though its address is one of this machine alone: what comes past the kernel by a
  /// device or a socket of its own is looked at by nobody else.
  virtual bool past_kernel() const { return false; }
  /// The next connection, whoever it is: for tests and tools that know their peer.
  virtual Result<std::unique_ptr<Channel>> accept() = 0;
  /// The next peer that the gate admits. Strangers are dealt with meanwhile, however many, slow or silent they are.
  virtual Result<Admitted> accept(const Gate& gate) = 0;
  virtual void abort() noexcept = 0;
};

/// How a channel is set up. Whatever the kernel grants differently is an error unless `allow_fallback`.
struct ChannelOptions {
  std::string
      receive_with;  ///< datapath for incoming extents; empty: the datapath itself, if it receives, or read_write
  std::string congestion = "cubic";
  std::uint64_t send_buffer = 0;     ///< bytes; 0: the kernel's autotuning
  std::uint64_t receive_buffer = 0;  ///< bytes; 0: the kernel's autotuning
  Wait wait = Wait::sleep;
  /// Within a message or a payload a peer has to move 4 KiB, or what is left, in each such time.
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  bool allow_fallback = false;
  std::string link = "veth";  ///< what joins the hosts: "veth", "loopback", "vhost" or "nic"
  std::string link_at;        ///< vhost: path of the vhost-user socket; nic: PCI address; otherwise empty
  std::uint32_t mtu = 0;      ///< bytes of the IP packet on a link without a kernel interface; 0: the datapath's choice
  std::map<std::string, std::string> settings;  ///< "datapath.option" -> value, see Datapath::options()
  /// Ends a connect() that waits with Fault::cancelled; after it there is Channel::abort(). Stops may be requested from
  /// any thread, but not from a signal handler: std::stop_source takes a lock.
  std::stop_token cancel = {};
};

/// Copies of payload that a datapath declares for one side, in copied bytes per payload byte. Only CPU copies: what the
/// devices move by DMA follows from link and cache, not from the datapath.
struct CopyModel {
  double kernel = 0;
  double user = 0;
  std::string because;      ///< where the copies happen: "read: page cache -> buffer, send: buffer -> skb"
  bool past_cache = false;  ///< the file is read from the disk, whatever the page cache holds (O_DIRECT)
  /// Which copies in `user` are not our own, so that nothing counts them: "net_vhost: mbuf -> ring". Empty: all are
  /// made by copy_payload().
  std::string uncounted = {};
};

/// Something that a datapath takes of a machine besides its kernel, and CPU time while payload moves: what somebody
/// must have, or give away, who wants to use it.
struct Need {
  enum class Kind {
    root,       ///< rights that users do not have
    hugepages,  ///< memory that nobody else gets
    core,       ///< a CPU at each end that is busy while nothing moves, too
    interface,  ///< the one program that an interface takes
    device,     ///< a network card, which the kernel loses
    machine     ///< both ends on one
  };
  Kind kind = Kind::root;
  std::string what;  ///< "root, or CAP_BPF and CAP_NET_ADMIN"
};

constexpr auto words_of(Need::Kind) {
  using Kind = Need::Kind;
  return std::to_array<Word<Kind>>({{Kind::root, "root"},
                                    {Kind::hugepages, "hugepages"},
                                    {Kind::core, "core"},
                                    {Kind::interface, "interface"},
                                    {Kind::device, "device"},
                                    {Kind::machine, "machine"}});
}

/// Members of ChannelOptions for which not every datapath has a use.
enum class ChannelOption {
  send_buffer,
  receive_buffer,
  mtu,
  pci,  ///< link_at where the link is a NIC: those that the kernel drives are found by their address
};

/// A way for payload to go from a file on one host into a file on the other. Instances live as long as the program.
class Datapath {
 public:
  using Registered = Datapath;
  virtual ~Datapath() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;  ///< one line for `harness list`
  virtual Carrier carrier() const = 0;
  virtual bool moves(Side side) const = 0;
  /// False when a receiving datapath cannot serve this kind of sink (and digest what goes there).
  virtual bool takes(Incoming::Sink sink) const = 0;
  /// An error with reason and remedy when this machine cannot run it.
  virtual Result<> available() const = 0;
  /// What moves incoming payload in a comparison that names only this one as sender.
  virtual std::string_view usual_receiver() const { return name(); }
  /// Kinds of links that it runs on, the default first.
  virtual std::vector<std::string_view> links() const { return {"veth", "loopback", "nic"}; }
  /// What it does best with on a veth.
  virtual Napi napi(Wait) const { return Napi::softirq; }
  /// Hugepage memory in bytes that one process which listens or connects takes; whoever starts such processes reserves
  /// it before and gives it back afterwards.
  virtual std::uint64_t hugepage_bytes([[maybe_unused]] bool listens,
                                       [[maybe_unused]] const ChannelOptions& options) const {
    return 0;
  }
  /// What either end takes of its machine, over the link of `options`, which is one of links(). Here what follows from
  /// the rest: hugepages, and the core of who waits by spinning.
  virtual std::vector<Need> needs(const ChannelOptions& options) const;
  /// True when it shows or tests something, and is no way to move files.
  virtual bool demonstrates() const { return false; }
  /// Of the process that listens or of the one that connects. The link of `options` is one of links(): local delivery
  /// copies where a NIC would gather.
  virtual CopyModel copies(Side side, Incoming::Sink sink, bool listens, const ChannelOptions& options) const = 0;
  /// Set by --NAME-OPTION=VALUE or --set NAME.OPTION=VALUE.
  virtual std::vector<OptionInfo> options() const { return {}; }

  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at, const ChannelOptions& options) const = 0;
  virtual Result<std::unique_ptr<Channel>> connect(const Endpoint& to, const ChannelOptions& options) const = 0;

  /// Whether setting `option` changes anything: what has no effect is refused, see check_heeded() in settings.hpp.
  virtual bool heeds(ChannelOption option) const = 0;
};

/// All datapaths of this build, sorted by name. Each registers itself by a static Registration.
const std::vector<const Datapath*>& datapaths();
/// Fault::usage with the list of names when there is none of this name.
Result<const Datapath*> find_datapath(std::string_view name);

}  // namespace waggle
