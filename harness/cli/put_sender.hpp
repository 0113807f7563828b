// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/put_source.hpp"
#include "harness/cli/transfer_mode.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"
#include "protocol/client.hpp"

namespace waggle::cli {

/// A file called so is ./-.
inline bool is_stdin(const std::filesystem::path& local) {
  return local == "-";
}

/// One `put` over one connection. What it is given must outlive it.
class Sender {
 public:
  Sender(protocol::Client& client, const TransferOptions& options, const AbortOnSignal& interrupt, TransferWatch& watch,
         TransferTotal& total)
      : client_(client), options_(options), interrupt_(interrupt), watch_(watch), total_(total) {}

  /// A file, stdin or, recursively, a directory of this machine. What fails within a directory is named and counted,
  /// and does not end the rest.
  Result<> send(const std::filesystem::path& local, const std::string& path);

 private:
  struct Wanted {
    std::filesystem::path local;
    std::string path;
  };
  struct Directory {
    std::filesystem::path local;
    std::string path;
    std::uint32_t mode = 0;  ///< of the local one
    bool made = false;
  };
  /// A directory of this machine and all that is below.
  struct Tree {
    std::vector<Directory> directories;  ///< each before what is in it
    std::vector<Wanted> small;
    std::vector<Wanted> large;
  };

  Result<> go_on() const;
  Result<> send_file(const Source& source, const std::string& path);
  Result<protocol::Transferred> upload(const Source& source, const std::string& path);

  Result<> send_tree(const std::filesystem::path& top, const std::string& path);
  Result<std::uint64_t> version_there(std::string path);
  Result<Tree> list_tree(Directory top, std::uint64_t there);
  Result<> list_directory(const Directory& directory, Tree& tree, std::vector<Directory>& below);
  Result<> list_entry(const std::filesystem::directory_entry& entry, std::string path, Tree& tree,
                      std::vector<Directory>& below);
  Result<> make_directory(Directory& directory);
  Result<> send_small(const std::vector<Wanted>& wanted);
  Result<> send_large(const Wanted& wanted);

  protocol::Client& client_;
  const TransferOptions& options_;
  const AbortOnSignal& interrupt_;
  TransferWatch& watch_;
  TransferTotal& total_;
  TransferMode mode_{options_.keep_mode};
  const GoOn waits_ = [this] { return go_on(); };
};

}  // namespace waggle::cli
