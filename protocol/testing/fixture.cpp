// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/testing/fixture.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

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
    served_ = serve_connection(*channel, files, server_options);
    left_open = files.open_files();
    channel.reset();
  });
  return Client::open(std::move(pair.client), client_options);
}

const Result<std::uint64_t>& Connected::served() {
  if (thread_.joinable()) {
    thread_.join();
  }
  return *served_;
}

}  // namespace waggle::protocol::testing
