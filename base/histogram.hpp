// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace waggle {

/// Log-linear histogram of non-negative integers (HdrHistogram's layout): 128 linear steps per power of two, so a value
/// is known to better than 1 %. Merging adds counts, which percentiles never allow.
class Histogram {
 public:
  void record(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }  ///< exact
  double mean() const;
  /// Smallest recorded value (to bucket precision, never above max()) that at least `quantile` of all values do not
  /// exceed; 0 when empty. 0 <= quantile <= 1.
  std::uint64_t quantile(double quantile) const;

  /// Non-empty buckets as (lowest value of the bucket, count), ascending: what a record stores.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace waggle
