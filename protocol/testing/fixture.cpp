// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/testing/fixture.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include "protocol/server_handshake.hpp"
#include "protocol/testing/admission.hpp"

namespace waggle::protocol::testing {

UniqueFd memory_file(std::string_view content) {
  UniqueFd file(::memfd_create("waggle-test", MFD_CLOEXEC));
  static_cast<void>(!::pwrite(file.get(), content.data(), content.size(), 0));
  return file;
}

std::string content_of(int file) {
  struct stat status{};
  ::fstat(file, &status);
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  static_cast<void>(!::pread(file, content.data(), content.size(), 0));
  return content;
}

std::string noise(std::size_t length) {
  std::string bytes(length, '\0');
  std::uint64_t state = length + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(state >> 56U);
  }
  return bytes;
}

Connected::Connected(Mischief client, Mischief server) : pair(make_memory_pair(std::move(client), std::move(server))) {}

Connected::~Connected() {
  pair.client.reset();
  if (thread_.joinable()) {
    thread_.join();
  }
}

Result<Client> Connected::open() {
  thread_ = std::thread([this, channel = std::move(pair.server)]() mutable {
    MemoryFiles files(tree);
    served_ = serve(std::move(channel), files);
    left_open = files.open_files();
  });
  return Client::open(std::move(pair.client), client_options);
}

Result<std::uint64_t> Connected::serve(std::unique_ptr<Channel> channel, MemoryFiles& files) const {
  Gate gate = gate_of(server_options);
  Error refused;
  gate.refused = [&](const Error& why) { refused = why; };
  WAGGLE_LET(admitted, admit(std::move(channel), gate));
  if (!admitted) {
    return std::unexpected(refused);
  }
  const auto& handshake = static_cast<const ServerHandshake&>(*admitted->admission);
  return serve_connection(*admitted->channel, files, server_options, handshake.agreement());
}

const Result<std::uint64_t>& Connected::served() {
  if (thread_.joinable()) {
    thread_.join();
  }
  return *served_;
}

}  // namespace waggle::protocol::testing
