// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/remote.hpp"

#include <catch2/catch.hpp>

namespace waggle::cli {
namespace {

TEST_CASE("remote files are HOST:PORT/path") {
  const auto remote = parse_remote("10.0.0.1:7411/dir/file").value();
  CHECK(remote.endpoint.host == "10.0.0.1");
  CHECK(remote.endpoint.port == 7411);
  CHECK(remote.path == "dir/file");
  CHECK(parse_remote("host:1/").value().path.empty());
  CHECK(parse_remote("[fe80::1]:7411/a:b").value().endpoint.host == "fe80::1");
  CHECK(parse_remote("[fe80::1]:7411/a:b").value().path == "a:b");
  CHECK(parse_remote("[fe80::1%eth0]:7411/a%b").value().endpoint.host == "fe80::1%eth0");
  CHECK(parse_remote("[fe80::1%eth0]:7411/a%b").value().path == "a%b");
}

TEST_CASE("what is no remote file is wrong use, with an example") {
  for (const char* text : {"", "file", "dir/file", "host/file", "host:port/file", "host:99999/f", "host:7411", ":1/f",
                           "::1:7411/f", "[::1/f", "host:0/f", "/host:1/f"}) {
    INFO(text);
    const auto remote = parse_remote(text);
    REQUIRE_FALSE(remote);
    CHECK(remote.error().fault == Fault::usage);
    CHECK_FALSE(remote.error().hint.empty());
  }
}

TEST_CASE("endpoints have a default port and may mean all addresses") {
  CHECK(parse_endpoint("host", 5).value().port == 5);
  CHECK(parse_endpoint(":0", 5).value().port == 0);
  CHECK(parse_endpoint(":0", 5).value().host.empty());
  CHECK(parse_endpoint("[::1]", 5).value().host == "::1");
  CHECK_FALSE(parse_endpoint("host:x", 5));
  CHECK_FALSE(parse_endpoint("7420", 5));  // a port without a host
  CHECK_FALSE(parse_endpoint("::1:5", 5));
  CHECK(parse_endpoint("[fe80::1%eth0.5]:7", 5).value().host == "fe80::1%eth0.5");
  CHECK(parse_endpoint("[fe80::1%eth0.5]:7", 5).value().port == 7);
  CHECK(parse_endpoint("fe80::1%eth0", 5).value().host == "fe80::1%eth0");
  CHECK(parse_endpoint("fe80::1%eth0", 5).value().port == 5);
  CHECK_FALSE(parse_endpoint("fe80::1%eth0:7", 5));
  CHECK(endpoint_text({"fe80::1%eth0", 7}) == "[fe80::1%eth0]:7");
  CHECK(endpoint_text({"::1", 7}) == "[::1]:7");
  CHECK(endpoint_text({"h", 7}) == "h:7");
}

TEST_CASE("only this machine reaches loopback") {
  CHECK(is_this_machine("127.0.0.1"));
  CHECK(is_this_machine("127.1.2.3"));
  CHECK(is_this_machine("::ffff:127.0.0.1"));
  CHECK_FALSE(is_this_machine("127.evil.example"));
  CHECK_FALSE(is_this_machine("localhost"));
  CHECK_FALSE(is_this_machine("::"));
  CHECK(is_this_machine("::1"));
  CHECK_FALSE(is_this_machine(""));
  CHECK_FALSE(is_this_machine("10.0.0.1"));
}

TEST_CASE("names from a server are used only when they are plain") {
  CHECK(is_plain_name("a"));
  CHECK(is_plain_name("..."));
  for (const char* name : {"", ".", "..", "a/b", "/", "../x"}) {
    INFO(name);
    CHECK_FALSE(is_plain_name(name));
  }
  CHECK_FALSE(is_plain_name(std::string_view("a\0b", 3)));
  CHECK(join_path("", "a") == "a");
  CHECK(join_path("d/", "a") == "d/a");
  CHECK(last_name("a/b/") == "b");
  CHECK(last_name("a") == "a");
}

}  // namespace
}  // namespace waggle::cli
