// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <utility>

#include "datapaths/datapath.hpp"

/// For tests only.
namespace waggle::protocol::testing {

/// Another channel, for those that differ from it in a function or two.
class ForwardingChannel : public Channel {
 public:
  explicit ForwardingChannel(std::unique_ptr<Channel> inner) : inner_(std::move(inner)) {}
  Facts facts() const override { return inner_->facts(); }
  Counters counters() const override { return inner_->counters(); }
  Result<> send(ByteView message) override { return inner_->send(message); }
  Result<Sent> send(ByteView message, const Outgoing& extent) override { return inner_->send(message, extent); }
  Result<> flush() override { return inner_->flush(); }
  Result<> expect(const Incoming& incoming) override { return inner_->expect(incoming); }
  void cancel(const ExtentId& id) override { inner_->cancel(id); }
  void end_receiving() noexcept override { inner_->end_receiving(); }
  Result<Event> next(std::chrono::nanoseconds timeout) override { return inner_->next(timeout); }
  void abort() noexcept override { inner_->abort(); }

 private:
  std::unique_ptr<Channel> inner_;
};

}  // namespace waggle::protocol::testing
