// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include "datapaths/stream/channel.hpp"
#include "datapaths/stream/strangers.hpp"
#include "datapaths/stream/tcp.hpp"

namespace waggle::stream {
namespace {

/// Both directions of a channel as they were chosen, checked once when the user asks and used for every connection.
struct Plan {
  const MoverInfo* sender = nullptr;
  MakeMover make_sender = nullptr;
  Settings sender_settings;
  const MoverInfo* receiver = nullptr;
  MakeMover make_receiver = nullptr;
  Settings receiver_settings;
  ChannelOptions options;

  Result<std::unique_ptr<Channel>> open(TcpConnection connection, const Opening& opening = {}) const {
    WAGGLE_LET(send_mover, make_sender(connection.socket, sender_settings));
    WAGGLE_LET(receive_mover, make_receiver(connection.socket, receiver_settings));
    return std::make_unique<StreamChannel>(
        std::move(connection.socket), MoverInUse{sender, std::move(send_mover)},
        MoverInUse{receiver, std::move(receive_mover)},
        Facts{std::string(sender->name), std::string(receiver->name), Carrier::stream, std::move(connection.modes)},
        opening);
  }
};

class StreamListener final : public Listener {
 public:
  StreamListener(UniqueFd fd, Endpoint endpoint, Plan plan)
      : fd_(std::move(fd)), endpoint_(std::move(endpoint)), plan_(std::move(plan)) {}

  Endpoint endpoint() const override { return endpoint_; }

  Result<std::unique_ptr<Channel>> accept() override {
    auto connection = accept_tcp(fd_.get(), plan_.options);
    if (aborted_.load()) {
      return fail(Fault::cancelled, "no more connections are accepted");
    }
    WAGGLE_LET(accepted, std::move(connection));
    return plan_.open(std::move(accepted));
  }

  Result<Admitted> accept(const Gate& gate) override {
    if (!strangers_) {
      WAGGLE_LET(strangers, Strangers::at(fd_.get()));
      strangers_ = std::move(strangers);
    }
    const auto open = [this](UniqueFd socket, ByteView ahead) -> Result<std::unique_ptr<Channel>> {
      WAGGLE_LET(connection, adopt_tcp(std::move(socket), plan_.options));
      return plan_.open(std::move(connection), {.ahead = ahead, .lingers = true});
    };
    return strangers_->next(gate, open, aborted_);
  }

  void abort() noexcept override {
    aborted_.store(true);
    ::shutdown(fd_.get(), SHUT_RDWR);
  }

 private:
  UniqueFd fd_;
  Endpoint endpoint_;
  Plan plan_;
  std::unique_ptr<Strangers> strangers_;  ///< once there is a gate
  std::atomic<bool> aborted_{false};
};

/// Moves both ways on any machine.
constexpr std::string_view kUsualReceiver = "read_write";

/// Makes a datapath of a mover: the mover for one or both directions, TCP for the rest.
class StreamDatapath final : public Datapath {
 public:
  StreamDatapath(MoverInfo info, MakeMover make) : info_(std::move(info)), make_(make) {}

  std::string_view name() const override { return info_.name; }
  std::string_view summary() const override { return info_.summary; }
  Carrier carrier() const override { return Carrier::stream; }
  bool moves(Side side) const override { return side == Side::sender ? info_.sends : info_.receives; }
  bool takes(Incoming::Sink sink) const override {
    return info_.receives && (sink != Incoming::Sink::discard || info_.discards);
  }
  Result<> available() const override { return info_.available(); }
  /// All senders are compared with the same receiver.
  std::string_view usual_receiver() const override { return kUsualReceiver; }
  CopyModel copies(Side side, Incoming::Sink sink, bool, const ChannelOptions& options) const override {
    // This comes before anything is opened; what the user has got wrong is refused then.
    const Settings settings =
        Settings::of(info_.name, info_.options, options).value_or(*Settings::of(info_.name, info_.options, {}));
    return info_.copies(side, sink, {.link = options.link, .settings = settings});
  }
  std::vector<OptionInfo> options() const override { return info_.options; }
  /// The kernel knows the MTU of its interfaces.
  bool heeds(ChannelOption option) const override {
    return option == ChannelOption::send_buffer || option == ChannelOption::receive_buffer;
  }

  Result<std::unique_ptr<Listener>> listen(const Endpoint& at, const ChannelOptions& options) const override {
    WAGGLE_LET(plan, plan_for(options));
    WAGGLE_LET(fd, listen_tcp(at, options));
    WAGGLE_LET(endpoint, local_endpoint(fd.get()));
    return std::make_unique<StreamListener>(std::move(fd), std::move(endpoint), std::move(plan));
  }

  Result<std::unique_ptr<Channel>> connect(const Endpoint& to, const ChannelOptions& options) const override {
    WAGGLE_LET(plan, plan_for(options));
    WAGGLE_LET(connection, connect_tcp(to, options));
    return plan.open(std::move(connection));
  }

 private:
  /// The datapath for one direction: the named one, this one when it moves that way, else read_write.
  Result<const StreamDatapath*> choose(Side side, const std::string& named) const {
    if (named.empty() && moves(side)) {
      return this;
    }
    WAGGLE_LET(found, find_datapath(named.empty() ? kUsualReceiver : named));
    const auto* stream = dynamic_cast<const StreamDatapath*>(found);
    if (stream == nullptr || !stream->moves(side)) {
      return fail(
          Fault::usage,
          fmt::format("{} cannot {} on a TCP connection", found->name(), side == Side::sender ? "send" : "receive"),
          "see harness list");
    }
    return stream;
  }

  Result<Plan> plan_for(const ChannelOptions& options) const {
    WAGGLE_LET(sender, choose(Side::sender, {}));
    WAGGLE_LET(receiver, choose(Side::receiver, options.receive_with));
    WAGGLE_TRY(sender->available());
    WAGGLE_TRY(receiver->available());
    for (const auto& [name, value] : options.settings) {
      WAGGLE_TRY(find_datapath(std::string_view(name).substr(0, name.find('.'))));
    }
    WAGGLE_TRY(check_heeded(*sender, options));
    WAGGLE_TRY(check_heeded(*receiver, options));
    WAGGLE_LET(sender_settings, Settings::of(sender->info_.name, sender->info_.options, options));
    WAGGLE_LET(receiver_settings, Settings::of(receiver->info_.name, receiver->info_.options, options));
    return Plan{&sender->info_,   sender->make_,   std::move(sender_settings),
                &receiver->info_, receiver->make_, std::move(receiver_settings),
                options};
  }

  MoverInfo info_;
  MakeMover make_;
};

}  // namespace

Registration<Datapath> add_mover(MoverInfo info, MakeMover make) {
  return Registration<Datapath>(std::make_unique<StreamDatapath>(std::move(info), make));
}

}  // namespace waggle::stream
