// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/unique_fd.hpp"
#include "protocol/file_service.hpp"

/// For tests only: files that live in memory.
namespace waggle::protocol::testing {

struct Node {
  SharedFd content;  ///< memfd
  Attributes attributes;
};

/// The files that several MemoryFiles share. Safe for threads.
struct Tree {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> nodes;       ///< what has a name
  std::map<std::string, std::shared_ptr<Node>, std::less<>> unfinished;  ///< kept uploads, by path
  std::uint64_t last_version = 0;
  bool knows_digests = false;     ///< known_digest() has an answer
  std::uint64_t digested = 0;     ///< bytes read for digests()
  Error create_fails;             ///< what create() says when not empty
  std::set<std::string> durable;  ///< paths of what was committed so

  void put(const std::string& path, std::string_view content);
  /// What is stored under a path; "<none>" when nothing is.
  std::string get(const std::string& path);
};

/// A FileService over a Tree. Paths that are absolute or hold ".." are refused.
class MemoryFiles final : public FileService {
 public:
  explicit MemoryFiles(std::shared_ptr<Tree> tree) : tree_(std::move(tree)) {}

  Result<Opened> open(std::string_view path, bool writable) override;
  Result<Opened> create(std::string_view path, std::uint64_t size, std::uint32_t mode, bool resume) override;
  Result<> commit(FileId file, bool durable) override;
  void close(FileId file, bool keep) override;
  Result<Attributes> attributes(FileId file) override;
  Result<Attributes> attributes(std::string_view path) override;
  Result<Attributes> change(std::string_view path, const AttributeChange& change) override;
  Result<> make_directory(std::string_view path, std::uint32_t mode) override;
  Result<> remove(std::string_view path) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<> truncate(std::string_view path, std::uint64_t size) override;
  Result<DirectoryPage> list(std::string_view path, std::uint64_t cookie, std::size_t most_entries) override;
  Result<> sync(FileId file) override;
  Result<std::vector<Digest>> digests(FileId file, std::uint64_t offset, std::uint64_t length,
                                      DigestKind kind) override;
  Result<Digest> known_digest(FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind) override;
  SharedFd descriptor(FileId file) const override;

  std::size_t open_files() const { return open_.size(); }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    std::string path;
    bool upload = false;
    bool committed = false;
  };
  Result<std::shared_ptr<Node>> find(std::string_view path) const;

  std::shared_ptr<Tree> tree_;
  std::map<FileId, Open> open_;
  FileId last_ = 0;
};

}  // namespace waggle::protocol::testing
