// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::experiment {

/// One end of the byte stream over which the harness commands an agent: a socket pair for a process of this host, pipes
/// for one that is reached through another program. Messages are JSON, requests are answered one by one.
///
/// A message is kControlHeader bytes, "WGA", kControlVersion and the length of the text in bytes (32 bits, network byte
/// order), and then the text in UTF-8, at most kMostControl bytes. Whoever gets another beginning talks to something
/// else, or to an agent of another version.
inline constexpr std::size_t kControlHeader = 8;
inline constexpr std::byte kControlVersion{1};
inline constexpr std::size_t kMostControl = std::size_t{256} * 1024 * 1024;

class Control {
 public:
  /// Both ways over one descriptor.
  explicit Control(UniqueFd socket) : in_(std::move(socket)) {}
  Control(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_(std::move(out)) {}
  /// The harness's end and the agent's end, both closed on exec.
  static Result<std::pair<Control, UniqueFd>> make();

  /// Where messages come from, to be waited for.
  int fd() const { return in_.get(); }
  Result<> send(const nlohmann::json& message);
  /// Reads once, which does not wait when fd() is readable: the message when it is whole, nothing while it is not.
  /// Fault::peer_gone when the other end is closed, Fault::protocol when what comes is none of ours.
  Result<std::optional<nlohmann::json>> take();
  /// Waits for a whole message.
  Result<nlohmann::json> receive();

 private:
  Result<std::size_t> text_length() const;

  UniqueFd in_;
  UniqueFd out_;  // none: in_
  std::array<std::byte, kControlHeader> header_{};
  std::size_t header_bytes_ = 0;
  std::string text_;
};

/// An Error as a message and back, so that it crosses processes with its fault, text, hint and errno.
nlohmann::json error_to_json(const Error& error);
Error error_from_json(const nlohmann::json& json);

}  // namespace waggle::experiment
