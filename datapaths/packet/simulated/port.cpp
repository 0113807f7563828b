// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/port.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "datapaths/packet/simulated/impaired_port.hpp"
#include "datapaths/packet/udp/port.hpp"

namespace waggle::packet {
namespace {

Result<Time> duration(const Settings& settings, std::string_view option) {
  WAGGLE_LET(value, parse_duration(settings.text(option)));  // exactly, which seconds as a double are not
  if (value > std::chrono::seconds(10)) {
    return fail(Fault::usage, fmt::format("simulated.{}={} is too long", option, settings.text(option)),
                "give at most 10s");
  }
  return static_cast<Time>(value.count());
}

Result<Impairments> impairments_of(const Settings& settings) {
  Impairments made;
  for (const auto& [option, field] : {std::pair{"loss", &Impairments::loss},
                                      {"duplicate", &Impairments::duplicate},
                                      {"reorder", &Impairments::reorder},
                                      {"corrupt", &Impairments::corrupt},
                                      {"truncate", &Impairments::truncate}}) {
    made.*field = settings.real(option);
  }
  WAGGLE_LET(delay, duration(settings, "delay"));
  WAGGLE_LET(jitter, duration(settings, "jitter"));
  made.delay = delay;
  made.jitter = jitter;
  made.rate = static_cast<std::uint64_t>(settings.real("rate"));
  made.queue = settings.number("queue");
  made.overhead = kFrameHeaders;
  return made;
}

std::string describe(const Impairments& link) {
  std::string text = fmt::format("loss {:g} duplicate {:g} reorder {:g} corrupt {:g} truncate {:g}", link.loss,
                                 link.duplicate, link.reorder, link.corrupt, link.truncate);
  text += fmt::format(", delay {} jitter {}", format_duration_ns(static_cast<double>(link.delay)),
                      format_duration_ns(static_cast<double>(link.jitter)));
  if (link.rate != 0) {
    text += fmt::format(", {} queue {}", format_rate(static_cast<double>(link.rate)), format_bytes(link.queue));
  }
  return text;
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_simulated_ports(const PortRequest& request) {
  WAGGLE_LET(impairments, impairments_of(request.settings));
  const std::uint64_t seed = request.settings.number("seed");
  // The sockets below have the defaults of the udp port, whatever the user set for that.
  ChannelOptions options = request.options;
  options.settings.clear();
  WAGGLE_LET(settings, Settings::of("udp", udp_options(), options));
  WAGGLE_LET(ports, open_udp_ports({.local = request.local,
                                    .remote = request.remote,
                                    .listens = request.listens,
                                    .options = options,
                                    .settings = settings}));
  for (std::unique_ptr<Port>& port : ports) {
    WAGGLE_LET(impaired, ImpairedPort::create(std::move(port), impairments, 2 * seed + (request.listens ? 1 : 0),
                                              describe(impairments)));
    port = std::move(impaired);
  }
  return ports;
}

std::vector<OptionInfo> simulated_options() {
  return {{"loss", "0", OptionType::share(), "probability that a packet is lost, in each direction: 0.01 or 1%"},
          {"duplicate", "0", OptionType::share(), "probability that a packet comes twice"},
          {"reorder", "0", OptionType::share(), "probability that a packet comes late, behind others"},
          {"corrupt", "0", OptionType::share(), "probability that one bit is flipped"},
          {"truncate", "0", OptionType::share(), "probability that the end of a packet is cut off"},
          {"delay", "0ms", OptionType::seconds(), "time that every packet takes, one way"},
          {"jitter", "0ms", OptionType::seconds(), "random time on top of the delay, at most"},
          {"rate", "0", OptionType::rate(), "bits per second in each direction, as 100Mbit; 0: unlimited"},
          {"queue", "256KiB", OptionType::bytes(), "bytes that wait for the rate before packets are dropped"},
          {"seed", "1", OptionType::number(0, UINT32_MAX), "decides all that happens at random"}};
}

}  // namespace waggle::packet
