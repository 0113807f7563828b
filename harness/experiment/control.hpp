// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::experiment {

/// One end of the socket over which the harness commands an agent: JSON messages, requests answered one by one.
class Control {
 public:
  explicit Control(UniqueFd socket) : socket_(std::move(socket)) {}
  /// The harness's end and the agent's end (SOCK_SEQPACKET, both closed on exec).
  static Result<std::pair<Control, UniqueFd>> make();

  int fd() const { return socket_.get(); }
  Result<> send(const nlohmann::json& message);
  /// Waits for a message; Fault::peer_gone when the other end is closed.
  Result<nlohmann::json> receive();

 private:
  UniqueFd socket_;
};

/// An Error as a message and back, so that it crosses processes with its fault, text, hint and errno.
nlohmann::json error_to_json(const Error& error);
Error error_from_json(const nlohmann::json& json);

}  // namespace waggle::experiment
