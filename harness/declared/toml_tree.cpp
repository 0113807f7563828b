// SPDX-License-Identifier: BSD-2-Clause
#include "harness/declared/toml_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/unique_fd.hpp"

namespace waggle::declared {
namespace {

using Kind = Node::Kind;

/// Nobody writes more, and the whole of it is held in memory several times.
constexpr std::size_t kLargest = std::size_t{1} << 20;

Place place_of(const toml::source_region& region) {
  return {.line = static_cast<std::uint32_t>(region.begin.line),
          .column = static_cast<std::uint32_t>(region.begin.column)};
}

Node tree_of(const toml::node& from) {
  Node node;
  node.place = place_of(from.source());
  if (const auto* table = from.as_table()) {
    node.kind = Kind::table;
    for (const auto& [key, value] : *table) {
      Node& member = node.items.emplace_back(tree_of(value));
      member.key = std::string(key.str());
      member.key_place = place_of(key.source());
    }
    std::ranges::sort(node.items, {}, &Node::key_place);
  } else if (const auto* array = from.as_array()) {
    node.kind = Kind::list;
    for (const auto& item : *array) {
      node.items.push_back(tree_of(item));
    }
  } else if (const auto* flag = from.as_boolean()) {
    node.kind = Kind::flag;
    node.flag = flag->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Kind::integer;
    node.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Kind::real;
    node.real = real->get();
  } else if (const auto* text = from.as_string()) {
    node.kind = Kind::text;
    node.text = text->get();
  } else {
    node.kind = Kind::time;
  }
  return node;
}

Result<std::string> contents(const std::filesystem::path& file) {
  const std::string path = file.string();
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot open {}", path));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Fault::usage, fmt::format("{} is no regular file", path), "name a suite or its file");
  }
  std::string text(kLargest + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + length, text.size() - length);
    if (n < 0) {
      return fail_errno(fmt::format("cannot read {}", path));
    }
    if (n == 0) {
      break;
    }
    length += static_cast<std::size_t>(n);
  }
  if (length > kLargest) {
    return fail(Fault::usage, fmt::format("{} is larger than any suite", path), "name a suite or its file");
  }
  text.resize(length);
  return text;
}

}  // namespace

std::string FilePlace::text() const {
  return fmt::format("{}:{}:{}", file, line, column);
}

const Node* Node::find(std::string_view name) const {
  const auto found = std::ranges::find(items, name, &Node::key);
  return !is(Kind::table) || found == items.end() ? nullptr : &*found;
}

std::string Node::written() const {
  switch (kind) {
    case Kind::flag: return flag ? "true" : "false";
    case Kind::integer: return fmt::format("{}", integer);
    case Kind::real: return fmt::format("{}", real);
    case Kind::text: return text;
    default: return "";
  }
}

std::unexpected<Error> wrong_at(const std::filesystem::path& file, Place place, Error error) {
  error.what = fmt::format("{}: {}", FilePlace{place, file.string()}.text(), error.what);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> wrong_at(const std::filesystem::path& file, Place place, std::string what, std::string hint) {
  return wrong_at(file, place, Error{Fault::usage, std::move(what), std::move(hint), 0});
}

Result<Node> read_toml(const std::filesystem::path& file) {
  WAGGLE_LET(text, contents(file));
  try {
    return tree_of(toml::parse(text));
  } catch (const toml::parse_error& error) {
    std::string what(error.description());
    std::ranges::replace(what, '\n', ' ');
    return wrong_at(file, place_of(error.source()), "this is not TOML: " + what);
  }
}

}  // namespace waggle::declared
