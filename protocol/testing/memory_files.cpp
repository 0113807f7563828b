// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/testing/memory_files.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace waggle::protocol::testing {
namespace {

std::uint64_t size_of(const Node& node) {
  struct stat status{};
  return node.content && ::fstat(node.content.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Attributes current(const Node& node) {
  Attributes attributes = node.attributes;
  attributes.size = size_of(node);
  // Like the real one, the version of this fake moves with the size.
  attributes.version = attributes.version * 1'000'003 + attributes.size;
  return attributes;
}

std::shared_ptr<Node> make_node(std::uint64_t version, std::uint32_t mode) {
  auto node = std::make_shared<Node>();
  node->content = SharedFd(UniqueFd(::memfd_create("waggle-test", MFD_CLOEXEC)));
  node->attributes.mode = mode;
  node->attributes.version = version;
  return node;
}

Result<> allowed(std::string_view path) {
  if (path.starts_with('/') || path.find("..") != std::string_view::npos) {
    return fail(Fault::denied, std::string(path) + ": the path leaves the served directory");
  }
  return {};
}

Result<std::vector<Digest>> blocks_of(const Node& node, std::uint64_t offset, std::uint64_t length, DigestKind kind) {
  if (offset + length > size_of(node)) {
    return fail(Fault::changed, "the file ends before the extent does");
  }
  std::vector<Digest> blocks;
  std::vector<std::byte> block(kDigestBlock);
  for (std::uint64_t done = 0; done < length; done += kDigestBlock) {
    const std::size_t want = std::min(kDigestBlock, length - done);
    if (::pread(node.content.get(), block.data(), want, static_cast<off_t>(offset + done)) !=
        static_cast<ssize_t>(want)) {
      return fail_errno("cannot read");
    }
    blocks.push_back(digest_of(kind, ByteView(block).first(want)));
  }
  return blocks;
}

}  // namespace

void Tree::put(const std::string& path, std::string_view content) {
  const std::lock_guard lock(mutex);
  auto node = make_node(++last_version, 0644);
  static_cast<void>(!::pwrite(node->content.get(), content.data(), content.size(), 0));
  nodes[path] = std::move(node);
}

std::string Tree::get(const std::string& path) {
  const std::lock_guard lock(mutex);
  const auto found = nodes.find(path);
  if (found == nodes.end()) {
    return "<none>";
  }
  std::string content(size_of(*found->second), '\0');
  static_cast<void>(!::pread(found->second->content.get(), content.data(), content.size(), 0));
  return content;
}

Result<std::shared_ptr<Node>> MemoryFiles::find(std::string_view path) const {
  WAGGLE_TRY(allowed(path));
  const auto found = tree_->nodes.find(path);
  if (found == tree_->nodes.end()) {
    return fail(Fault::not_found, "cannot open " + std::string(path) + ": No such file or directory");
  }
  return found->second;
}

Result<FileService::Opened> MemoryFiles::open(std::string_view path, bool) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_LET(node, find(path));
  open_[++last_] = {node, std::string(path)};
  return Opened{last_, current(*node)};
}

Result<FileService::Opened> MemoryFiles::create(std::string_view path, std::uint64_t, std::uint32_t mode, bool resume) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_TRY(allowed(path));
  if (!tree_->create_fails.what.empty()) {
    return std::unexpected(tree_->create_fails);
  }
  std::shared_ptr<Node> node;
  if (const auto left = tree_->unfinished.find(path); left != tree_->unfinished.end()) {
    node = resume ? left->second : nullptr;
    tree_->unfinished.erase(left);
  }
  if (node == nullptr) {
    node = make_node(++tree_->last_version, mode);
  }
  open_[++last_] = {node, std::string(path), true, false};
  return Opened{last_, current(*node)};
}

Result<> MemoryFiles::commit(FileId file, bool durable) {
  const std::lock_guard lock(tree_->mutex);
  Open& open = open_.at(file);
  open.committed = true;
  if (durable) {
    tree_->durable.insert(open.path);
  }
  tree_->nodes[open.path] = open.node;
  return {};
}

void MemoryFiles::close(FileId file, bool keep) {
  const std::lock_guard lock(tree_->mutex);
  const Open& open = open_.at(file);
  if (open.upload && !open.committed && keep) {
    tree_->unfinished[open.path] = open.node;
  }
  open_.erase(file);
}

Result<Attributes> MemoryFiles::attributes(FileId file) {
  const std::lock_guard lock(tree_->mutex);
  return current(*open_.at(file).node);
}

Result<Attributes> MemoryFiles::attributes(std::string_view path) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_LET(node, find(path));
  return current(*node);
}

Result<Attributes> MemoryFiles::change(std::string_view path, const AttributeChange& change) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_LET(node, find(path));
  Attributes& attributes = node->attributes;
  attributes.mode = change.set_mode ? change.mode : attributes.mode;
  attributes.uid = change.set_owner ? change.uid : attributes.uid;
  attributes.gid = change.set_owner ? change.gid : attributes.gid;
  attributes.modified_ns = change.set_times ? change.modified_ns : attributes.modified_ns;
  attributes.accessed_ns = change.set_times ? change.accessed_ns : attributes.accessed_ns;
  return current(*node);
}

Result<> MemoryFiles::make_directory(std::string_view path, std::uint32_t mode) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_TRY(allowed(path));
  auto node = std::make_shared<Node>();
  node->attributes.type = FileType::directory;
  node->attributes.mode = mode;
  if (!tree_->nodes.try_emplace(std::string(path), std::move(node)).second) {
    return fail(Fault::exists, "cannot make " + std::string(path) + ": File exists");
  }
  return {};
}

Result<> MemoryFiles::remove(std::string_view path) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_TRY(find(path));
  tree_->nodes.erase(tree_->nodes.find(path));
  return {};
}

Result<> MemoryFiles::rename(std::string_view from, std::string_view to) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_TRY(allowed(to));
  WAGGLE_LET(node, find(from));
  tree_->nodes.erase(tree_->nodes.find(from));
  tree_->nodes[std::string(to)] = node;
  return {};
}

Result<> MemoryFiles::truncate(std::string_view path, std::uint64_t size) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_LET(node, find(path));
  if (::ftruncate(node->content.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno("cannot truncate");
  }
  return {};
}

Result<DirectoryPage> MemoryFiles::list(std::string_view path, std::uint64_t cookie, std::size_t most_entries) {
  const std::lock_guard lock(tree_->mutex);
  WAGGLE_TRY(allowed(path));
  DirectoryPage page;
  std::uint64_t position = 0;
  const std::string prefix = path.empty() ? std::string() : std::string(path) + "/";
  for (const auto& [name, node] : tree_->nodes) {
    if (!name.starts_with(prefix) || position++ < cookie) {
      continue;
    }
    if (page.entries.size() == most_entries) {
      page.next_cookie = cookie + most_entries;
      break;
    }
    page.entries.push_back({name.substr(prefix.size()), current(*node)});
  }
  return page;
}

Result<> MemoryFiles::sync(FileId) {
  return {};
}

Result<std::vector<Digest>> MemoryFiles::digests(FileId file, std::uint64_t offset, std::uint64_t length,
                                                 DigestKind kind) {
  const std::lock_guard lock(tree_->mutex);
  tree_->digested += length;
  return blocks_of(*open_.at(file).node, offset, length, kind);
}

Result<Digest> MemoryFiles::known_digest(FileId file, std::uint64_t offset, std::uint64_t length, DigestKind kind) {
  const std::lock_guard lock(tree_->mutex);
  if (!tree_->knows_digests) {
    return fail(Fault::not_found, "no digest is known");
  }
  WAGGLE_LET(blocks, blocks_of(*open_.at(file).node, offset, length, kind));
  ExtentDigester root(kind);
  for (const Digest& block : blocks) {
    root.add_block(block, std::min(kDigestBlock, length));
  }
  return root.finish();
}

SharedFd MemoryFiles::descriptor(FileId file) const {
  return open_.at(file).node->content;
}

}  // namespace waggle::protocol::testing
