// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/remote.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace waggle::cli {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && rest == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

/// Host and what follows its ":"; nothing after it when there is no port.
struct Split {
  std::string_view host;
  std::optional<std::string_view> port;
};

std::optional<Split> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) {
      return std::nullopt;
    }
    return Split{text.substr(1, end - 1), rest.empty() ? std::nullopt : std::optional(rest.substr(1))};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Split{text, std::nullopt};
  }
  if (text.find(':', colon + 1) != std::string_view::npos) {
    // An IPv6 address without its brackets could end anywhere, but for a zone, which ends it.
    const std::size_t zone = text.find('%');
    const bool whole = zone != std::string_view::npos && text.find(':', zone) == std::string_view::npos;
    return whole ? std::optional(Split{text, std::nullopt}) : std::nullopt;
  }
  return Split{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  const auto parts = split(text);
  const auto port = parts && parts->port ? parse_port(*parts->port) : std::optional(default_port);
  if (!parts || !port) {
    return fail(Fault::usage, fmt::format("'{}' is not HOST:PORT", text),
                "write it like 10.0.0.1:7411, [fe80::1%eth0]:7411 or :7411 for all addresses");
  }
  // inet_aton(3) would take it for an address: 7420 is 0.0.28.252.
  if (!parts->port && !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return fail(Fault::usage, fmt::format("'{}' is a port without a host", text),
                fmt::format("write 127.0.0.1:{0} for this machine alone, or :{0} for all addresses", text));
  }
  return Endpoint{std::string(parts->host), *port};
}

bool looks_remote(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0) {
    return false;
  }
  const auto parts = split(text.substr(0, slash));
  return parts && parts->port && !parts->host.empty() && parse_port(*parts->port);
}

Result<Remote> parse_remote(std::string_view text) {
  if (!looks_remote(text)) {
    return fail(Fault::usage, fmt::format("'{}' is not HOST:PORT/path", text),
                "write it like 10.0.0.1:7411/dir/file or [fe80::1%eth0]:7411/file");
  }
  const std::size_t slash = text.find('/');
  WAGGLE_LET(endpoint, parse_endpoint(text.substr(0, slash), 0));
  if (endpoint.port == 0) {
    return fail(Fault::usage, fmt::format("'{}' names no port", text), "use the port that `harness serve` printed");
  }
  return Remote{std::move(endpoint), std::string(text.substr(slash + 1))};
}

std::string endpoint_text(const Endpoint& endpoint) {
  const bool brackets = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", endpoint.host, brackets ? "]" : "", endpoint.port);
}

bool is_this_machine(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24U == IN_LOOPBACKNET;
  }
  return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 &&
         (IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET));
}

std::string join_path(std::string_view directory, std::string_view name) {
  while (directory.ends_with('/')) {
    directory.remove_suffix(1);
  }
  return directory.empty() ? std::string(name) : fmt::format("{}/{}", directory, name);
}

std::string_view last_name(std::string_view path) {
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path.substr(path.rfind('/') + 1);
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace waggle::cli
