// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/transfer_options.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/unique_fd.hpp"
#include "datapaths/settings.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/described_options.hpp"
#include "harness/cli/remote.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::cli {
namespace {

constexpr std::size_t kLongestToken = 4096;

Result<std::string> checked(std::string token, std::string_view from) {
  if (token.empty() || token.size() > kLongestToken) {
    return fail(Fault::usage, fmt::format("{} holds no token of 1 to {} bytes", from, kLongestToken),
                "make one: head -c 24 /dev/urandom | base64 > FILE");
  }
  return token;
}

Result<std::string> read_token(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail_errno(fmt::format("cannot read the token from {}", path), errno, "check --token-file");
  }
  std::array<char, kLongestToken + 2> buffer{};
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got < 0) {
    return fail_errno(fmt::format("cannot read the token from {}", path), errno, "check --token-file");
  }
  std::string token(buffer.data(), static_cast<std::size_t>(got));
  token.resize(token.find_last_not_of("\r\n") + 1);
  return checked(std::move(token), path);
}

/// What works without asking: TCP may, without privileges, take no other congestion control than the system's own.
/// And transfers wait longer than experiments.
constexpr double kPatience = 60;

OptionInfo transfer_option(std::string_view name) {
  OptionInfo option = **find_option(channel_options().infos(), name);
  if (name == "congestion") {
    option.default_value = "TCP: system, which is its own; packets: cubic";
  } else if (name == "timeout_s") {
    option.default_value = option.type.print(kPatience);
  }
  return option;
}

}  // namespace

void ChannelChoice::add_to(CLI::App& app) {
  const std::string group = "Datapath";
  app.add_option("--datapath", datapath_, "what moves bytes from file to socket (sendfile)")
      ->option_text("NAME")
      ->group(group);
  app.add_option("--receiver", receiver_, "what moves bytes from socket to file (read_write)")
      ->option_text("NAME")
      ->group(group);
  auto links = topology::link_names();
  links.insert(links.begin(), "auto");
  add_choice(app, "--link", link_, links, "what joins the hosts; auto: the datapath's first one (auto)")->group(group);
  app.add_option("--pci", pci_, "of the NIC, for --link=nic")->option_text("ADDRESS")->group(group);
  app.add_option("--socket", socket_, "of the other end, for --link=vhost")->option_text("PATH")->group(group);
  for (const char* name :
       {"mtu", "wait", "congestion", "send_buffer", "receive_buffer", "timeout_s", "allow_fallback"}) {
    add_described(app, transfer_option(name), said_, group);
  }
  app.add_option("--token-file", token_file_, "file with the shared secret; else WAGGLE_TOKEN is used")
      ->option_text("FILE")
      ->group("Security");
  settings_.add_to(app, group);
}

Result<> ChannelChoice::choose_link(ChannelOptions& options) const {
  WAGGLE_LET(chosen, datapath());
  const auto links = chosen->links();
  options.link = link_ != "auto"    ? link_
                 : !pci_.empty()    ? topology::addressed_link()
                 : !socket_.empty() ? topology::socket_link()
                                    : links.front();
  if (std::ranges::find(links, options.link) == links.end()) {
    return fail(Fault::usage, fmt::format("{} does not run over {}", datapath_, options.link),
                fmt::format("choose --link={}", fmt::join(links, "|")));
  }
  const auto kind = topology::link_kind(options.link);
  if (!pci_.empty() && !kind.addresses) {
    return fail(Fault::usage, fmt::format("--pci says nothing to the link {}", options.link),
                fmt::format("add --link={}", topology::addressed_link()));
  }
  if (socket_.empty() == kind.socket) {
    return socket_.empty()
               ? fail(Fault::usage, fmt::format("the link {} needs a socket that both ends name", options.link),
                      "add --socket=PATH, or choose another --link")
               : fail(Fault::usage, fmt::format("--socket says nothing to the link {}", options.link),
                      fmt::format("add --link={}", topology::socket_link()));
  }
  options.link_at = kind.socket ? std::filesystem::absolute(socket_).string() : pci_;
  return {};
}

Result<ChannelOptions> ChannelChoice::channel() const {
  ChannelOptions options{.receive_with = receiver_};
  WAGGLE_LET(chosen, datapath());
  options.timeout = std::chrono::seconds(static_cast<std::int64_t>(kPatience));
  for (const auto& [name, value] : said_) {
    WAGGLE_TRY(channel_options().set(options, name, value));
  }
  const bool open = !said_.contains("congestion") && chosen->carrier() == Carrier::stream;
  if (open || options.congestion == "system") {
    options.congestion.clear();
  }
  WAGGLE_TRY(choose_link(options));
  WAGGLE_LET(settings, settings_.values());
  const bool sends_alone = receiver_.empty() && !chosen->moves(Side::receiver);
  WAGGLE_TRY(check_settings(settings, {datapath_, sends_alone ? std::string(chosen->usual_receiver()) : receiver_}));
  options.settings = std::move(settings);
  WAGGLE_TRY(check_heeded(*chosen, options));
  return options;
}

Result<std::unique_ptr<BorrowedMemory>> ChannelChoice::memory(bool listens) const {
  WAGGLE_LET(chosen, datapath());
  WAGGLE_LET(options, channel());
  const std::uint64_t bytes = chosen->hugepage_bytes(listens, options);
  if (bytes == 0) {
    return nullptr;
  }
  const std::filesystem::path place = "/var/tmp";  // where `harness clean` looks
  WAGGLE_TRY(topology::WorkDirectory::sweep(place));
  WAGGLE_LET(work, topology::WorkDirectory::create(place));
  WAGGLE_LET(pages, topology::Hugepages::reserve(bytes, work.path()));
  return std::make_unique<BorrowedMemory>(std::move(work), std::move(pages));
}

Result<std::string> ChannelChoice::token() const {
  if (!token_file_.empty()) {
    return read_token(token_file_);
  }
  const char* const from_environment = std::getenv("WAGGLE_TOKEN");
  return from_environment == nullptr || *from_environment == '\0' ? Result<std::string>()
                                                                  : checked(from_environment, "WAGGLE_TOKEN");
}

std::string congestion_of(const Channel& channel) {
  const Facts facts = channel.facts();
  const auto found = std::ranges::find(facts.modes, "congestion", &Mode::name);
  return found == facts.modes.end() ? "unknown" : found->granted;
}

void TransferOptions::add_to(CLI::App& app) {
  const std::string group = "Transfer";
  app.add_flag("--resume", resume, "continue what a broken transfer left, and keep it if this one breaks")
      ->group(group);
  app.add_flag("--recursive,-r", recursive, "whole directories")->group(group);
  app.add_flag("--durable", durable, "done means: content and name are on disk (fsync)")->group(group);
  app.add_flag("--keep-mode", keep_mode, "the source's permission bits, unfiltered by the umask")->group(group);
  add_choice(app, "--digest", digest, choices_of<DigestKind>(), "how payload is verified (xxh3)")->group(group);
  choice_.add_to(app);
}

Result<protocol::Client> TransferOptions::connect(const Endpoint& to, Progress* progress,
                                                  const AbortOnSignal& interrupt) {
  WAGGLE_LET(datapath, choice_.datapath());
  WAGGLE_LET(options, choice_.channel());
  WAGGLE_LET(token, choice_.token());
  WAGGLE_LET(kind, parse_digest_kind(digest));
  WAGGLE_LET(memory, choice_.memory(false));
  memory_ = std::move(memory);
  options.cancel = interrupt.cancel();
  WAGGLE_LET(channel, datapath->connect(to, options));
  Channel* const raw = channel.get();
  interrupt.guard(raw);
  auto client = protocol::Client::open(
      std::move(channel),
      {.token = std::move(token), .digest = kind, .timeout = options.timeout, .progress = progress});
  if (!client) {
    interrupt.guard(nullptr);
  }
  return client;
}

Error TransferOptions::explain(Error error, const AbortOnSignal& interrupt, std::optional<Kept> kept) const {
  if (interrupt.asked()) {
    error = {Fault::cancelled, "interrupted", "", 0};
  }
  if (kept && (error.fault == Fault::cancelled || error.fault == Fault::peer_gone || error.fault == Fault::timeout)) {
    const std::string again =
        *kept == Kept::server ? fmt::format("the server keeps what it has of a file for a while, from 1 MiB on: {}",
                                            resume ? "the same command continues there" : "--resume continues there")
        : *kept == Kept::here ? "what has arrived is kept: the same command continues there"
        : resume              ? "nothing of the file on its way is kept"
                              : "nothing is kept; with --resume a broken transfer can be continued";
    error.hint = error.hint.empty() ? again : fmt::format("{}; {}", error.hint, again);
  }
  return error;
}

}  // namespace waggle::cli
