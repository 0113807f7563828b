// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "harness/topology/netlink.hpp"
#include "harness/topology/offloads.hpp"

namespace waggle::topology {
namespace {

constexpr auto kCarrierTimeout = std::chrono::milliseconds(5000);

/// Writes a setting below /proc/sys/net, which shows the values of the calling thread's namespace. A kernel without the
/// setting has nothing to change.
Result<> write_setting(const std::string& name, std::string_view value) {
  const std::string path = "/proc/sys/net/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) {
    return errno == ENOENT ? Result<>{} : fail_errno(fmt::format("cannot open {}", path));
  }
  if (::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail_errno(fmt::format("cannot write {}", path));
  }
  return {};
}

/// A namespace in which runs do not influence each other: no address detection that holds a device back, and no TCP
/// metrics carried over from one connection to the next (tcp_no_metrics_save, ip-sysctl).
Result<std::unique_ptr<NetworkNamespace>> make_namespace() {
  WAGGLE_LET(made, NetworkNamespace::create());
  WAGGLE_TRY(made.inside([]() -> Result<> {
    WAGGLE_TRY(write_setting("ipv6/conf/all/disable_ipv6", "1"));
    WAGGLE_TRY(write_setting("ipv6/conf/default/disable_ipv6", "1"));
    return write_setting("ipv4/tcp_no_metrics_save", "1");
  }));
  return std::make_unique<NetworkNamespace>(std::move(made));
}

}  // namespace

std::vector<Mode> modes_of(const Badness& badness) {
  std::vector<Mode> modes;
  for (const auto& [name, share] : {std::pair{"loss", badness.loss}, {"reorder", badness.reorder}}) {
    modes.push_back({name, fmt::format("{}", share), fmt::format("{}", share)});
  }
  return modes;
}

Result<Link> Link::create(const LinkOptions& options) {
  Link link;
  link.kind_ = options.kind;
  if (options.kind == "veth") {
    WAGGLE_TRY(link.make_veth(options));
  } else if (options.kind == "loopback") {
    WAGGLE_TRY(link.make_loopback(options));
  } else if (options.kind == "vhost" || options.kind == "nic") {
    WAGGLE_TRY(link.make_apart());
  } else {
    return fail(Fault::usage, fmt::format("no link is named '{}'", options.kind),
                "choose veth, loopback, vhost or nic");
  }
  return link;
}

Result<> Link::make_veth(const LinkOptions& options) {
  WAGGLE_LET(server, make_namespace());
  WAGGLE_LET(client, make_namespace());
  server_ = std::move(server);
  client_ = std::move(client);
  server_address_ = "10.77.0.1";
  client_address_ = "10.77.0.2";
  WAGGLE_LET(at_server, Netlink::open(*server_));
  WAGGLE_LET(at_client, Netlink::open(*client_));
  device_ = "waggle0";
  if (options.middle) {
    WAGGLE_LET(middle, make_namespace());
    WAGGLE_LET(joined, BadLink::join(std::move(middle), *server_, *client_, device_, options.mtu, options.queues,
                                     *options.middle));
    middle_ = std::move(joined);
    modes_ = modes_of(*options.middle);
  } else {
    WAGGLE_TRY(at_server.add_veth(device_, *client_, options.mtu, options.queues));
  }
  WAGGLE_TRY(at_server.add_address(device_, server_address_ + "/30"));
  WAGGLE_TRY(at_client.add_address(device_, client_address_ + "/30"));
  WAGGLE_TRY(note(*server_, "server", options));
  WAGGLE_TRY(note(*client_, "client", options));
  for (Netlink* end : {&at_server, &at_client}) {
    WAGGLE_TRY(end->set_up("lo"));
    WAGGLE_TRY(end->set_up(device_));
  }
  WAGGLE_TRY(at_server.wait_until_running(device_, kCarrierTimeout));
  WAGGLE_TRY(at_client.wait_until_running(device_, kCarrierTimeout));
  // A kernel without the choice runs everything in softirq context; asking for threads is refused where it is done.
  for (const End end : {End::server, End::client}) {
    if (auto control = NapiControl::open(end == End::server ? *server_ : *client_, device_)) {
      napi_.emplace(end, *std::move(control));
    }
  }
  return {};
}

Result<std::vector<Mode>> Link::changed(End end) const {
  if (device_.empty()) {
    return {};
  }
  const NetworkNamespace& where = end == End::server ? server() : client();
  const std::string prefix = kind_ == "veth" ? (end == End::server ? "server " : "client ") : device_ + " ";
  std::map<std::string, std::string> now;
  WAGGLE_LET(netlink, Netlink::open(where));
  WAGGLE_LET(mtu, netlink.mtu(device_));
  now[prefix + "mtu"] = std::to_string(mtu);
  WAGGLE_TRY(where.inside([&]() -> Result<> {
    WAGGLE_LET(offloads, read_offloads(device_));
    for (const auto& [name, on] : offloads) {
      now[prefix + name] = on ? "on" : "off";
    }
    return {};
  }));
  std::vector<Mode> changed;
  for (const Mode& mode : modes_) {
    const auto value = now.find(mode.name);
    if (value != now.end() && value->second != mode.granted) {
      changed.push_back({mode.name.substr(prefix.size()), mode.requested, value->second});
    }
  }
  return changed;
}

Result<Mode> Link::set_napi(End end, Napi napi, bool again) {
  const auto control = napi_.find(end);
  if (control != napi_.end()) {
    return again ? control->second.set_again(napi) : control->second.set(napi);
  }
  if (napi == Napi::softirq) {
    return Mode{"napi", "softirq", "softirq"};
  }
  return fail(Fault::missing, fmt::format("the link {} has no threaded NAPI", kind_),
              "leave out --napi=threaded, or use --link=veth and Linux 5.12 or later");
}

Result<Mode> Link::pin_napi(End end, int cpu) {
  const auto control = napi_.find(end);
  if (control == napi_.end()) {
    return Mode{"napi cpu", std::to_string(cpu), "none"};
  }
  for (const auto& [other, its] : napi_) {
    if (other != end) {
      control->second.ignore(its.threads());
    }
  }
  return control->second.pin(cpu);
}

Result<> Link::make_apart() {
  WAGGLE_LET(server, make_namespace());
  WAGGLE_LET(client, make_namespace());
  server_ = std::move(server);
  client_ = std::move(client);
  server_address_ = "10.77.0.1";
  client_address_ = "10.77.0.2";
  for (const NetworkNamespace* end : {server_.get(), client_.get()}) {
    WAGGLE_LET(netlink, Netlink::open(*end));
    WAGGLE_TRY(netlink.set_up("lo"));
  }
  return {};
}

Result<> Link::make_loopback(const LinkOptions& options) {
  WAGGLE_LET(server, make_namespace());
  server_ = std::move(server);
  server_address_ = client_address_ = "127.0.0.1";
  device_ = "lo";
  WAGGLE_LET(netlink, Netlink::open(*server_));
  WAGGLE_TRY(netlink.set_mtu(device_, options.mtu));
  WAGGLE_TRY(note(*server_, device_, options));
  WAGGLE_TRY(netlink.set_up(device_));
  return netlink.wait_until_running(device_, kCarrierTimeout);
}

Result<> Link::note(const NetworkNamespace& where, const std::string& end, const LinkOptions& options) {
  WAGGLE_LET(netlink, Netlink::open(where));
  WAGGLE_LET(mtu, netlink.mtu(device_));
  modes_.push_back({end + " mtu", std::to_string(options.mtu), std::to_string(mtu)});
  if (options.kind == "veth") {
    WAGGLE_LET(queues, netlink.queues(device_));
    modes_.push_back({end + " queues", std::to_string(options.queues), std::to_string(queues)});
  }
  return where.inside([&]() -> Result<> {
    WAGGLE_LET(offloads, set_offloads(device_, options.offloads));
    for (Mode& mode : offloads) {
      mode.name = fmt::format("{} {}", end, mode.name);
      WAGGLE_LET(granted, grant(std::move(mode), options.allow_fallback, "choose what the link can have"));
      modes_.push_back(std::move(granted));
    }
    return {};
  });
}

}  // namespace waggle::topology
