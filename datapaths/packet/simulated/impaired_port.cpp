// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/impaired_port.hpp"

#include <algorithm>
#include <numeric>

#include "base/clock.hpp"
#include "base/copy_meter.hpp"

namespace waggle::packet {
namespace {

/// What comes after kDataHeader bytes lies on a boundary that O_DIRECT takes.
constexpr std::size_t kAlignment = 512;
constexpr std::size_t kBefore = kAlignment - kDataHeader;
/// Bursts that one poll() takes in: what waits below must not overflow while packets are held back here.
constexpr int kMostBursts = 8;

}  // namespace

Result<std::unique_ptr<Port>> ImpairedPort::create(std::unique_ptr<Port> inner, Impairments impairments,
                                                   std::uint64_t seed, std::string description) {
  const std::size_t packet = inner->capabilities().packet;
  const std::size_t stride = (kBefore + packet + kAlignment - 1) / kAlignment * kAlignment;
  WAGGLE_LET(slots, Slab::create(kSlots, stride));
  return std::unique_ptr<Port>(
      new ImpairedPort(std::move(inner), std::move(impairments), seed, std::move(description), std::move(slots)));
}

ImpairedPort::ImpairedPort(std::unique_ptr<Port> inner, Impairments impairments, std::uint64_t seed,
                           std::string description, Slab slots)
    : inner_(std::move(inner)),
      link_(std::move(impairments), seed),
      description_(std::move(description)),
      slots_(std::move(slots)),
      free_(kSlots) {
  std::iota(free_.rbegin(), free_.rend(), 0U);
}

std::byte* ImpairedPort::slot(std::uint32_t index) const {
  return slots_.block(index) + kBefore;
}

void ImpairedPort::take_in(Time now, const RxFrame& frame) {
  const auto fate = link_.carry(now, frame.length);
  for (const VirtualLink::Copy& copy : std::span(fate.copies).first(fate.count)) {
    if (free_.empty()) {
      ++full_;
      return;
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    const ByteSpan packet(slot(index), copy.length);
    copy_payload(packet, ByteView(frame.packet, copy.length));
    VirtualLink::damage(packet, copy);
    held_.push({copy.at, order_++, index, copy.length, frame.from});
  }
}

Result<std::size_t> ImpairedPort::poll(std::span<RxFrame> frames) {
  const Time now = now_ns();
  std::array<RxFrame, kMostBurst> below;
  for (int burst = 0; burst < kMostBursts; ++burst) {
    WAGGLE_LET(count, inner_->poll(below));
    const auto came = std::span(below).first(count);
    for (const RxFrame& frame : came) {
      take_in(now, frame);
    }
    if (count > 0) {
      inner_->release(came);
    }
    if (count < below.size()) {
      break;
    }
  }
  std::size_t count = 0;
  for (; count < frames.size() && !held_.empty() && held_.top().at <= now; held_.pop()) {
    const Held& next = held_.top();
    frames[count++] = {.packet = slot(next.slot), .length = next.length, .handle = next.slot, .from = next.from};
  }
  return count;
}

void ImpairedPort::release(std::span<const RxFrame> frames) {
  for (const RxFrame& frame : frames) {
    free_.push_back(static_cast<std::uint32_t>(frame.handle));
  }
}

std::vector<Mode> ImpairedPort::modes() const {
  std::vector<Mode> all = inner_->modes();
  all.push_back({"virtual_link", description_, description_});
  if (const Impairments& link = link_.impairments(); link.rate != 0) {
    all.push_back({"line_rate", std::to_string(link.rate), std::to_string(link.rate)});               // bit/s
    all.push_back({"frame_overhead", std::to_string(link.overhead), std::to_string(link.overhead)});  // bytes
  }
  return all;
}

Counters ImpairedPort::counters() const {
  Counters all = inner_->counters();
  const VirtualLink::Stats& stats = link_.stats();
  all["link_lost"] = stats.lost;
  all["link_queue_drops"] = stats.queue_drops + full_;
  all["link_duplicated"] = stats.duplicated;
  all["link_reordered"] = stats.reordered;
  all["link_corrupted"] = stats.corrupted;
  all["link_truncated"] = stats.truncated;
  return all;
}

}  // namespace waggle::packet
