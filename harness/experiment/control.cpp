// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/control.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/experiment/json_text.hpp"

namespace waggle::experiment {
namespace {

// A packet must fit the default socket buffer; long messages (histograms) take several. The first byte says whether
// more follow.
constexpr std::size_t kPacket = 64 * 1024;
constexpr char kMore = '+';
constexpr char kLast = '.';

}  // namespace

Result<std::pair<Control, UniqueFd>> Control::make() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("cannot make a control socket");
  }
  return std::pair(Control(UniqueFd(ends[0])), UniqueFd(ends[1]));
}

Result<> Control::send(const nlohmann::json& message) {
  const std::string text = json_text(message);
  std::size_t done = 0;
  do {
    const std::size_t length = std::min(kPacket, text.size() - done);
    const std::string packet = (done + length < text.size() ? kMore : kLast) + text.substr(done, length);
    ssize_t n = 0;
    do {
      n = ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
      return fail_errno("cannot write to a control socket");
    }
    done += length;
  } while (done < text.size());
  return {};
}

Result<nlohmann::json> Control::receive() {
  std::string text;
  std::string packet(kPacket + 1, '\0');
  while (true) {
    const ssize_t n = ::recv(socket_.get(), packet.data(), packet.size(), 0);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return n == 0 ? fail(Fault::peer_gone, "the control socket is closed")
                    : fail_errno("cannot read from a control socket");
    }
    text.append(packet, 1, static_cast<std::size_t>(n) - 1);
    if (packet.front() == kLast) {
      break;
    }
  }
  auto message = parse_json(text);
  if (!message) {
    return fail(Fault::protocol, "a control message cannot be read: " + message.error().what);
  }
  return message;
}

nlohmann::json error_to_json(const Error& error) {
  return {{"fault", name(error.fault)}, {"what", error.what}, {"hint", error.hint}, {"errno", error.system}};
}

Error error_from_json(const nlohmann::json& json) {
  return {fault_named(json.value("fault", "io")), json.value("what", ""), json.value("hint", ""),
          json.value("errno", 0)};
}

}  // namespace waggle::experiment
