// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/abort_on_signal.hpp"
#include "harness/cli/transfer_mode.hpp"
#include "harness/cli/transfer_options.hpp"
#include "harness/cli/transfer_watch.hpp"
#include "harness/store/landing.hpp"
#include "protocol/client.hpp"

namespace waggle::cli {

/// Bytes of memory that the list of a tree may take: some four million files with paths of usual length. How long the
/// list is, is up to the server, which need not be an honest one. How deep it goes is bounded by the protocol's paths.
inline constexpr std::uint64_t kMostListed = std::uint64_t{1} << 30U;

/// One `get` over one connection. What it is given must outlive it.
class Fetcher {
 public:
  Fetcher(protocol::Client& client, const TransferOptions& options, const AbortOnSignal& interrupt,
          TransferWatch& watch, TransferTotal& total, std::uint64_t most_listed = kMostListed)
      : client_(client),
        options_(options),
        interrupt_(interrupt),
        watch_(watch),
        total_(total),
        most_listed_(most_listed) {}

  /// A file or, recursively, a directory of the server. What fails within a directory is named and counted, and does
  /// not end the rest. Fault::usage, with nothing made, for a tree whose list takes more than `most_listed` bytes.
  Result<> fetch(const std::string& path, const std::filesystem::path& target);
  /// A file, to stdout.
  Result<> stream(const std::string& path);
  /// What has arrived of the file that failed can be continued.
  bool kept() const { return kept_; }

 private:
  struct Wanted {
    std::string path;
    std::filesystem::path target;
    std::uint64_t size = 0;
  };
  struct Directory {
    std::string path;
    std::filesystem::path target;
    std::uint32_t mode = 0;     ///< of the server's
    std::uint64_t version = 0;  ///< likewise
    bool made = false;
  };
  /// A directory of the server and all that is below.
  struct Tree {
    std::vector<Directory> directories;  ///< each before what is in it
    std::vector<Wanted> small;
    std::vector<Wanted> large;
    std::uint64_t listed = 0;  ///< bytes of memory that these take, about
  };

  Result<> go_on() const;
  Result<> fetch_file(const std::string& path, const protocol::Client::File& file, const std::filesystem::path& target);
  Result<> fill(const protocol::Client::File& file, store::Landing& landing);
  Result<> compare(const protocol::Client::File& file, store::Landing& landing);
  Result<> read(const protocol::Client::File& file, const store::Landing::Gap& gap, const store::Landing& landing);

  Result<> fetch_tree(const std::string& path, const std::filesystem::path& target,
                      const protocol::Attributes& attributes);
  Result<Tree> list_tree(Directory top, std::uint64_t here);
  Result<> list_directory(const Directory& directory, Tree& tree, std::vector<Directory>& below);
  Result<> make_directory(Directory& directory) const;
  Result<> fetch_small(const std::vector<Wanted>& wanted);
  Result<> land_small(const Wanted& wanted, const protocol::Client::Fetched& fetched);
  Result<> fetch_large(const Wanted& wanted);

  protocol::Client& client_;
  const TransferOptions& options_;
  const AbortOnSignal& interrupt_;
  TransferWatch& watch_;
  TransferTotal& total_;
  std::uint64_t most_listed_;
  TransferMode mode_{options_.keep_mode};
  bool kept_ = false;
};

}  // namespace waggle::cli
