// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/shared_fd.hpp"
#include "harness/store/block_reader.hpp"
#include "harness/store/content_watch.hpp"
#include "harness/store/digest_cache.hpp"
#include "harness/store/partial.hpp"
#include "protocol/file_service.hpp"

namespace waggle::store {

/// What all connections of a process share.
struct Served {
  Served(UniqueFd directory, std::size_t digest_bytes) : root(std::move(directory)), digests(digest_bytes) {}
  UniqueFd root;  ///< O_PATH
  DigestCache digests;
};

/// The FileService of one connection; see RootedStore.
class Connection final : public protocol::FileService {
 public:
  explicit Connection(std::shared_ptr<Served> served) : served_(std::move(served)) {}
  ~Connection() override;

  Result<Opened> open(std::string_view path, bool writable) override;
  Result<Opened> create(std::string_view path, std::uint64_t size, std::uint32_t mode, bool resume) override;
  Result<> commit(protocol::FileId file, bool durable) override;
  void close(protocol::FileId file, bool keep) override;

  Result<protocol::Attributes> attributes(protocol::FileId file) override;
  Result<protocol::Attributes> attributes(std::string_view path) override;
  Result<protocol::Attributes> change(std::string_view path, const protocol::AttributeChange& change) override;
  Result<> make_directory(std::string_view path, std::uint32_t mode) override;
  Result<> remove(std::string_view path) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<> truncate(std::string_view path, std::uint64_t size) override;
  Result<protocol::DirectoryPage> list(std::string_view path, std::uint64_t cookie, std::size_t most_entries) override;
  Result<> sync(protocol::FileId file) override;

  Result<std::vector<Digest>> digests(protocol::FileId file, std::uint64_t offset, std::uint64_t length,
                                      DigestKind kind) override;
  Result<Digest> known_digest(protocol::FileId file, std::uint64_t offset, std::uint64_t length,
                              DigestKind kind) override;

  void sent(protocol::FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind,
            const Digest& root) override;

  SharedFd descriptor(protocol::FileId file) const override;

 private:
  struct OpenFile {
    SharedFd fd;                       ///< empty for an upload
    std::unique_ptr<Partial> partial;  ///< an upload
    bool writable = false;
    bool looked_at = false;  ///< stamp is from the attributes() that came just before
    dev_t device = 0;
    ino_t inode = 0;
    FileStamp stamp;
    ContentWatch content;

    bool in_use() const { return fd || partial; }
    const SharedFd& shared() const { return partial ? partial->file() : fd; }
    int descriptor() const { return shared().get(); }
  };

  int root() const { return served_->root.get(); }
  Opened add(OpenFile file, const struct stat& status);
  Result<OpenFile*> find(protocol::FileId file);
  Result<FileStamp> stamp_now(OpenFile& file) const;
  Result<std::vector<Digest>> read_digests(OpenFile& file, std::uint64_t offset, std::uint64_t length, DigestKind kind,
                                           const std::vector<std::optional<Digest>>& known);

  std::shared_ptr<Served> served_;
  std::vector<OpenFile> files_;      ///< a FileId is an index + 1
  std::vector<std::size_t> unused_;  ///< indices into files_
  BlockReader reader_;
};

}  // namespace waggle::store
