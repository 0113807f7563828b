// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <thread>

#include "protocol/client.hpp"
#include "protocol/server.hpp"
#include "protocol/testing/memory_channel.hpp"
#include "protocol/testing/memory_files.hpp"

/// For tests only: a server with files in memory, and a client of it.
namespace waggle::protocol::testing {

/// A file in memory to send from or receive into.
UniqueFd memory_file(std::string_view content = {});
std::string content_of(int file);
/// Bytes that do not repeat soon, the same for the same length.
std::string noise(std::size_t length);

/// One connection, served by a thread. Client options may be changed before open().
class Connected {
 public:
  explicit Connected(Mischief client = {}, Mischief server = {});
  ~Connected();  ///< closes the client's end and joins
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;

  Result<Client> open();
  /// What serve_connection returned, or why the client was not let in, once the client's end is closed.
  const Result<std::uint64_t>& served();

  std::shared_ptr<Tree> tree = std::make_shared<Tree>();
  ServerOptions server_options;
  ClientOptions client_options;
  MemoryPair pair;
  std::size_t left_open = 0;  ///< files that the server had open at the end

 private:
  Result<std::uint64_t> serve(std::unique_ptr<Channel> channel, MemoryFiles& files) const;

  std::thread thread_;
  std::optional<Result<std::uint64_t>> served_;
};

}  // namespace waggle::protocol::testing
