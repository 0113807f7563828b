// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datapaths/datapath.hpp"
#include "datapaths/settings.hpp"
#include "datapaths/stream/socket.hpp"

namespace waggle::stream {

/// The way between file and socket: what a stream datapath consists of. One instance per channel and direction; it may
/// keep buffers, pipes and rings from one extent to the next. A new mover is one file that ends with
/// `const Registration registration = add_mover(info, make<Mine>);` and one line in meson.build.
class Mover {
 public:
  virtual ~Mover() = default;

  /// Sends the bytes of the extent, through Socket::send() or calls wrapped in Socket::out(), and feeds
  /// `extent.digest`, when set, if it has them in user memory. Returns how many bytes of the file went out; fewer than
  /// the extent's length when the file has ended. The channel fills the rest with zeros, after an error as well, and
  /// tells an error of the file from one of the connection by Socket::broken(). The bytes may change after the return.
  virtual Result<std::uint64_t> send(Socket& socket, const Outgoing& extent);

  /// Takes the bytes [from, id.length) of the extent off the socket, through Socket::receive() or calls wrapped in
  /// Socket::in(), puts them into their sink and feeds them to `extent.digest`. After an error of the file the channel
  /// drops what is still to come.
  virtual Result<> receive(Socket& socket, const Incoming& extent, std::uint64_t from);

  /// Modes beyond those of the socket, as requested and as granted by now. May be called from any thread.
  virtual std::vector<Mode> modes() const { return {}; }
  /// May be called from any thread, while others are at work: count in a Tally.
  virtual Counters counters() const { return {}; }
};

/// How a mover is used, as far as it decides about copies.
struct MoverUse {
  std::string_view link;
  const Settings& settings;
};

/// What a mover says of itself.
struct MoverInfo {
  std::string_view name;
  std::string_view summary;
  bool sends = true;
  bool receives = false;
  bool discards = false;  ///< can receive into nothing
  /// The bytes pass through plain user memory in any case: the channel may batch small extents with messages and read
  /// ahead into its own buffer at no additional copy.
  bool through_memory = false;
  CopyModel (*copies)(Side side, Incoming::Sink sink, const MoverUse& use) = nullptr;
  std::vector<OptionInfo> options = {};
  Result<> (*available)() = [] { return Result<>(); };
};

using MakeMover = Result<std::unique_ptr<Mover>> (*)(Socket& socket, const Settings& settings);

/// Makes a mover that needs nothing of the socket or its settings.
template <typename M>
Result<std::unique_ptr<Mover>> make(Socket&, const Settings&) {
  return std::make_unique<M>();
}

/// Makes a datapath of a mover and registers it.
Registration<Datapath> add_mover(MoverInfo info, MakeMover make);

/// Reads into `to` from `offset`; returns fewer bytes than asked only at the end of the file.
Result<std::size_t> read_file(int file, ByteSpan to, std::uint64_t offset);
/// Writes all bytes at `offset`.
Result<> write_file(int file, ByteView bytes, std::uint64_t offset);

}  // namespace waggle::stream
