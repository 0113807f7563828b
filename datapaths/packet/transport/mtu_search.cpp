// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/mtu_search.hpp"

#include <algorithm>

namespace waggle::packet {
namespace {

constexpr std::uint32_t kMostProbes = 3;         // RFC 8899, 5.1.2: MAX_PROBES
constexpr std::uint32_t kGoodEnough = 16;        // bytes: a closer search costs more than it gains
constexpr Time kAfterBlackHole = 5'000'000'000;  // ns until the search starts again

}  // namespace

MtuSearch::MtuSearch(std::uint32_t base, std::uint32_t largest)
    : base_(base), largest_(std::max(base, largest)), confirmed_(base), refused_(largest_ + 1) {
  choose(0);
}

std::uint32_t MtuSearch::probe(Time now) const {
  return !under_way_ && candidate_ != 0 && now >= due_ ? candidate_ : 0;
}

Time MtuSearch::due() const {
  return under_way_ || candidate_ == 0 ? kNever : due_;
}

void MtuSearch::on_sent(Time /*now*/) {
  under_way_ = true;
  ++tries_;
}

void MtuSearch::on_acknowledged(std::uint32_t size) {
  if (size <= confirmed_ || size > largest_) {
    return;
  }
  // A probe may have been given up too early: what arrives is the truth.
  confirmed_ = size;
  refused_ = refused_ <= size ? largest_ + 1 : refused_;
  choose(0);
}

void MtuSearch::on_lost(Time now, std::uint32_t size) {
  if (!under_way_ || size != candidate_) {
    return;
  }
  under_way_ = false;
  due_ = now;
  if (tries_ >= kMostProbes) {
    refused_ = size;
    choose(now);
  }
}

void MtuSearch::on_black_hole(Time now) {
  confirmed_ = base_;
  refused_ = largest_ + 1;
  choose(now + kAfterBlackHole);
}

void MtuSearch::choose(Time now) {
  under_way_ = false;
  tries_ = 0;
  due_ = now;
  if (refused_ > largest_) {
    candidate_ = confirmed_ < largest_ ? largest_ : 0;
  } else {
    candidate_ = refused_ - confirmed_ > kGoodEnough ? confirmed_ + (refused_ - confirmed_) / 2 : 0;
  }
}

}  // namespace waggle::packet
