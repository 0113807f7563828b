// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.hpp"
#include "datapaths/packet/channel.hpp"
#include "datapaths/packet/packet_listener.hpp"
#include "datapaths/packet/route.hpp"

namespace waggle::packet {
namespace {

/// With less than four, every ACK uses up so much of it that it calls for an ACK.
constexpr std::uint64_t kLeastWindow = 16;

/// What all packet datapaths offer besides the options of their ports. A function: ports register before main(), in an
/// unknown order.
std::vector<OptionInfo> common_options() {
  return {
      {"source", "read", OptionType::choice({"read", "mmap", "direct"}),
       "how payload gets from the file into frames: read, mmap or direct (O_DIRECT, no CPU copy)"},
      {"window", "0", OptionType::number(kLeastWindow, Connection::kMostUnderWay, 0),
       "packets that a peer may have on the way to us, 16 or more; 0: what the port can hold"},
      {"burst", "64", OptionType::number(1, kMostBurst), "frames per send and poll, at most 64"},
  };
}

/// A datapath made of a port: the reliable transport is always the same.
class PacketDatapath final : public Datapath {
 public:
  PacketDatapath(PortInfo info, OpenPorts open) : info_(std::move(info)), open_(open), options_(info_.options) {
    // A port may know a better default.
    for (const OptionInfo& option : common_options()) {
      if (std::ranges::find(info_.options, option.name, &OptionInfo::name) == info_.options.end()) {
        options_.push_back(option);
      }
    }
  }

  std::string_view name() const override { return info_.name; }
  std::string_view summary() const override { return info_.summary; }
  Carrier carrier() const override { return Carrier::packet; }
  bool moves(Side) const override { return true; }
  bool takes(Incoming::Sink) const override { return true; }
  Result<> available() const override { return info_.available(); }
  std::vector<std::string_view> links() const override { return info_.links; }
  Napi napi(Wait wait) const override { return info_.napi(wait); }
  std::uint64_t hugepage_bytes(bool listens, const ChannelOptions& options) const override {
    const Settings settings = settings_or_defaults(options);
    return info_.hugepage_bytes({.listens = listens, .link = options.link, .mtu = options.mtu, .settings = settings});
  }
  std::vector<Need> needs(const ChannelOptions& options) const override {
    const Settings settings = settings_or_defaults(options);
    auto needs = info_.needs({.listens = true, .link = options.link, .mtu = options.mtu, .settings = settings});
    for (Need& need : Datapath::needs(options)) {
      if (std::ranges::find(needs, need.kind, &Need::kind) == needs.end()) {
        needs.push_back(std::move(need));
      }
    }
    return needs;
  }
  bool demonstrates() const override { return info_.demonstrates; }
  std::vector<OptionInfo> options() const override { return options_; }
  bool heeds(ChannelOption option) const override {
    return std::ranges::find(info_.heeds, option) != info_.heeds.end();
  }

  CopyModel copies(Side side, Incoming::Sink sink, bool listens, const ChannelOptions& options) const override {
    const Settings settings = settings_or_defaults(options);
    CopyModel model =
        info_.copies(side, {.listens = listens, .link = options.link, .mtu = options.mtu, .settings = settings});
    const std::string below = std::move(model.because);
    if (side == Side::sender) {
      const CopyModel source =
          FileReader::copies(FileReader::parse(settings.text("source")).value_or(FileReader::Way::copied));
      model.kernel += source.kernel;
      model.user += source.user;
      model.because = source.because;
      model.past_cache = source.past_cache;
    } else if (sink == Incoming::Sink::file) {
      model.kernel += 1;
      model.because = "pwritev: frame -> page cache";
    } else if (sink == Incoming::Sink::view) {
      model.user += 1;
      model.because = "our code: frame -> view";
    }
    if (!below.empty()) {
      model.because += model.because.empty() ? below : "; " + below;
    }
    return model;
  }

  Result<std::unique_ptr<Listener>> listen(const Endpoint& at, const ChannelOptions& options) const override {
    WAGGLE_LET(settings, settings_of(options));
    WAGGLE_LET(host, host_options(options, settings));
    host.listens = true;
    WAGGLE_LET(ports, open_({.local = at, .remote = {}, .listens = true, .options = options, .settings = settings}));
    WAGGLE_TRY(suits(*ports.front(), host));
    return std::make_unique<PacketListener>(std::move(ports), host, std::string(info_.name), options);
  }

  Result<std::unique_ptr<Channel>> connect(const Endpoint& to, const ChannelOptions& options) const override {
    WAGGLE_LET(settings, settings_of(options));
    WAGGLE_LET(host, host_options(options, settings));
    WAGGLE_LET(ip, ipv4_of(to.host, options.cancel));
    const Peer server{ip, to.port, {}};
    const Endpoint remote{ipv4_text(ip), to.port};
    WAGGLE_LET(client, client_of(server, remote, options, settings, host));
    auto lock = client->driver.lock();
    WAGGLE_LET(connection, client->driver.host().connect(client->server, now_ns(), host.patience));
    lock.unlock();
    std::vector<Mode> modes = client->modes;
    std::shared_ptr<Driver> driver(client, &client->driver);
    auto channel = std::make_unique<PacketChannel>(std::move(driver), *connection, std::string(info_.name),
                                                   std::move(modes), options.timeout);
    const std::stop_callback called_off(options.cancel, [&channel] { channel->abort(); });
    WAGGLE_TRY(channel->establish());
    return channel;
  }

 private:
  /// The port of a client, with the server at its other end.
  struct Client {
    Client(std::unique_ptr<Port> port, const HostOptions& host, Wait wait) : driver(std::move(port), host, wait) {}
    Driver driver;
    Peer server;
    std::vector<Mode> modes;
  };

  /// Where an interface takes only one program or a link only one client, all connections of this process to a server
  /// go through one port.
  Result<std::shared_ptr<Client>> client_of(const Peer& server, const Endpoint& remote, const ChannelOptions& options,
                                            const Settings& settings, const HostOptions& host) const {
    const std::scoped_lock lock(clients_mutex_);
    std::string key = fmt::format("{}:{} {} {} {} {} {}", remote.host, remote.port, options.link, options.link_at,
                                  options.mtu, options.congestion, options.wait == Wait::spin);
    for (const auto& [name, value] : options.settings) {
      key += fmt::format(" {}={}", name, value);
    }
    auto& known = clients_[key];
    if (auto client = known.lock(); client && info_.shared) {
      return client;
    }
    WAGGLE_LET(ports,
               open_({.local = {}, .remote = remote, .listens = false, .options = options, .settings = settings}));
    WAGGLE_TRY(suits(*ports.front(), host));
    WAGGLE_LET(resolved, ports.front()->resolve(server, options.cancel));
    std::vector<Mode> modes = ports.front()->modes();
    modes.push_back({"congestion", options.congestion, options.congestion});
    auto client = std::make_shared<Client>(std::move(ports.front()), host, options.wait);
    client->server = resolved;
    client->modes = std::move(modes);
    known = client;
    return client;
  }

  /// For questions that come before anything is opened. What the user has got wrong is refused then.
  Settings settings_or_defaults(const ChannelOptions& options) const {
    return Settings::of(info_.name, options_, options).value_or(*Settings::of(info_.name, options_, {}));
  }

  Result<Settings> settings_of(const ChannelOptions& options) const {
    if (!options.receive_with.empty() && options.receive_with != info_.name) {
      return fail(
          Fault::usage,
          fmt::format("{} cannot receive with {}: one port serves both directions", info_.name, options.receive_with),
          "give server and client datapaths of their own instead");
    }
    WAGGLE_TRY(info_.available());
    for (const auto& [name, value] : options.settings) {
      WAGGLE_TRY(find_datapath(std::string_view(name).substr(0, name.find('.'))));
    }
    if (std::ranges::find(info_.links, options.link) == info_.links.end()) {
      return fail(Fault::usage, fmt::format("{} does not run over {}", info_.name, options.link), "see harness list");
    }
    WAGGLE_TRY(check_heeded(*this, options));
    return Settings::of(info_.name, options_, options);
  }

  Result<> suits(const Port& port, const HostOptions& host) const {
    const std::uint32_t packet = port.capabilities().packet;
    if (packet < MtuSearch::kBase) {
      return fail(Fault::missing, fmt::format("the MTU is too small: {} takes packets of {} bytes", info_.name, packet),
                  fmt::format("raise it to {} or more", MtuSearch::kBase + kFrameHeaders - 14));
    }
    if (host.read == FileReader::Way::direct && !port.capabilities().direct) {
      return fail(Fault::missing, fmt::format("{} cannot read with O_DIRECT into its frames as they are", info_.name),
                  fmt::format("leave out {}.source=direct, or see the port's options for frames", info_.name));
    }
    return {};
  }

  static Result<HostOptions> host_options(const ChannelOptions& options, const Settings& settings) {
    HostOptions host;
    WAGGLE_TRY(make_congestion(options.congestion, MtuSearch::kBase));
    WAGGLE_LET(way, FileReader::parse(settings.text("source")));
    host.congestion = options.congestion;
    host.patience = static_cast<Time>(std::max<std::int64_t>(options.timeout.count(), 0));
    host.window = static_cast<std::uint32_t>(settings.number("window"));
    host.burst = static_cast<std::uint32_t>(settings.number("burst"));
    host.read = way;
    return host;
  }

  PortInfo info_;
  OpenPorts open_;
  std::vector<OptionInfo> options_;
  mutable std::mutex clients_mutex_;
  mutable std::map<std::string, std::weak_ptr<Client>> clients_;
};

}  // namespace

Registration<Datapath> add_port(PortInfo info, OpenPorts open) {
  return Registration<Datapath>(std::make_unique<PacketDatapath>(std::move(info), open));
}

}  // namespace waggle::packet
