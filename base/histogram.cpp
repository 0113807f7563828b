// SPDX-License-Identifier: BSD-2-Clause
#include "base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace waggle {
namespace {

constexpr unsigned kStepBits = 7;
constexpr std::uint64_t kSteps = 1U << kStepBits;

std::size_t bucket_of(std::uint64_t value) {
  if (value < kSteps) {
    return value;
  }
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kStepBits - 1;
  return (shift + 1) * kSteps + ((value >> shift) - kSteps);
}

std::uint64_t lowest_of(std::size_t bucket) {
  if (bucket < kSteps) {
    return bucket;
  }
  const std::size_t shift = bucket / kSteps - 1;
  return (bucket % kSteps + kSteps) << shift;
}

}  // namespace

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) {
    return;
  }
  const std::size_t bucket = bucket_of(value);
  if (bucket >= counts_.size()) {
    counts_.resize(bucket + 1);
  }
  counts_[bucket] += times;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) {
    return;
  }
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::quantile(double quantile) const {
  if (count_ == 0) {
    return 0;
  }
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return std::clamp(lowest_of(i), min_, max_);
    }
  }
  return max_;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) {
      result.emplace_back(lowest_of(i), counts_[i]);
    }
  }
  return result;
}

}  // namespace waggle
