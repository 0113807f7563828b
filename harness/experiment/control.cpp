// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/control.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/byte_order.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::experiment {
namespace {

constexpr std::array kMagic{std::byte{'W'}, std::byte{'G'}, std::byte{'A'}, kControlVersion};
/// A text grows by so much as it comes: a length is believed only as far as bytes follow.
constexpr std::size_t kStep = std::size_t{1} << 20U;

/// Bytes read; 0 when a signal came first.
Result<std::size_t> read_some(int fd, void* to, std::size_t most) {
  const ssize_t n = ::read(fd, to, most);
  if (n > 0) {
    return static_cast<std::size_t>(n);
  }
  if (n < 0 && errno == EINTR) {
    return 0;
  }
  return n == 0 || errno == ECONNRESET ? fail(Fault::peer_gone, "the control stream is closed")
                                       : fail_errno("cannot read from a control stream");
}

}  // namespace

Result<std::pair<Control, UniqueFd>> Control::make() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("cannot make a control socket");
  }
  return std::pair(Control(UniqueFd(ends[0])), UniqueFd(ends[1]));
}

Result<> Control::send(const nlohmann::json& message) {
  const std::string text = record::json_text(message);
  if (text.size() > kMostControl) {
    return fail(Fault::io, fmt::format("a control message of {} bytes is too long", text.size()));
  }
  std::string frame(kControlHeader, '\0');
  std::memcpy(frame.data(), kMagic.data(), kMagic.size());
  store_be(reinterpret_cast<std::byte*>(frame.data()) + kMagic.size(), static_cast<std::uint32_t>(text.size()));
  frame += text;
  const int fd = out_ ? out_.get() : in_.get();
  for (std::size_t done = 0; done < frame.size();) {
    ssize_t n = ::send(fd, frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK) {
      n = ::write(fd, frame.data() + done, frame.size() - done);
    }
    if (n < 0 && errno != EINTR) {
      return fail_errno("cannot write to a control stream");
    }
    done += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  return {};
}

/// The length of the text, from a whole header.
Result<std::size_t> Control::text_length() const {
  if (!std::ranges::equal(kMagic, std::span(header_).first(kMagic.size()))) {
    return fail(Fault::protocol, "what is at the other end of a control stream is no agent of this version",
                "use the same build of the harness on all hosts");
  }
  const auto length = load_be<std::uint32_t>(header_.data() + kMagic.size());
  if (length == 0 || length > kMostControl) {
    return fail(Fault::protocol, fmt::format("a control message of {} bytes is announced", length));
  }
  return length;
}

Result<std::optional<nlohmann::json>> Control::take() {
  if (header_bytes_ < kControlHeader) {
    WAGGLE_LET(n, read_some(in_.get(), header_.data() + header_bytes_, kControlHeader - header_bytes_));
    header_bytes_ += n;
    if (header_bytes_ < kControlHeader) {
      return std::nullopt;
    }
    WAGGLE_TRY(text_length());
    return std::nullopt;
  }
  WAGGLE_LET(length, text_length());
  const std::size_t have = text_.size();
  text_.resize(have + std::min(kStep, length - have));
  const auto read = read_some(in_.get(), text_.data() + have, text_.size() - have);
  text_.resize(have + read.value_or(0));
  if (!read) {
    return std::unexpected(read.error());
  }
  if (text_.size() < length) {
    return std::nullopt;
  }
  header_bytes_ = 0;
  auto message = record::parse_json(std::exchange(text_, {}));
  if (!message) {
    return fail(Fault::protocol, "a control message cannot be read: " + message.error().what);
  }
  return *std::move(message);
}

Result<nlohmann::json> Control::receive() {
  while (true) {
    WAGGLE_LET(message, take());
    if (message) {
      return *std::move(message);
    }
  }
}

nlohmann::json error_to_json(const Error& error) {
  return {{"fault", name(error.fault)}, {"what", error.what}, {"hint", error.hint}, {"errno", error.system}};
}

Error error_from_json(const nlohmann::json& json) {
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = json.find("errno");
  const bool numbered = number != json.end() && number->is_number_integer();
  return {fault_named(text("fault")), text("what"), text("hint"), numbered ? number->get<int>() : 0};
}

}  // namespace waggle::experiment
