// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace waggle::packet {

/// Half-open ranges of 64-bit numbers, kept sorted and merged. Made for the usual case of one range that grows at its
/// end, without allocation.
class RangeSet {
 public:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  /// Adds [begin, end) and returns how many of its numbers were new.
  std::uint64_t add(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) {
      return 0;
    }
    if (ranges_.empty() || begin > ranges_.back().end) {
      ranges_.push_back({begin, end});
      return end - begin;
    }
    if (begin >= ranges_.back().begin) {
      const std::uint64_t before = ranges_.back().end;
      ranges_.back().end = std::max(before, end);
      return ranges_.back().end - before;
    }
    return insert(begin, end);
  }

  bool contains(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::ranges::upper_bound(ranges_, begin, {}, &Range::begin);
    return found != ranges_.begin() && std::prev(found)->end >= end;
  }

  /// End of the range that holds `from`, or `from` itself.
  std::uint64_t contiguous_from(std::uint64_t from) const {
    const auto found = std::ranges::upper_bound(ranges_, from, {}, &Range::begin);
    return found == ranges_.begin() ? from : std::max(from, std::prev(found)->end);
  }

  /// Forgets everything below.
  void drop_below(std::uint64_t bound) {
    std::size_t gone = 0;
    while (gone < ranges_.size() && ranges_[gone].end <= bound) {
      ++gone;
    }
    ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(gone));
    if (!ranges_.empty()) {
      ranges_.front().begin = std::max(ranges_.front().begin, bound);
    }
  }
  void drop_lowest() { ranges_.erase(ranges_.begin()); }

  const std::vector<Range>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size(); }
  void clear() { ranges_.clear(); }

 private:
  std::uint64_t insert(std::uint64_t begin, std::uint64_t end) {
    // The first range that touches [begin, end), and the first behind it.
    auto first = std::ranges::lower_bound(ranges_, begin, {}, &Range::end);
    auto last = first;
    std::uint64_t old = 0;
    Range merged{begin, end};
    while (last != ranges_.end() && last->begin <= end) {
      old += last->end - last->begin;
      merged = {std::min(merged.begin, last->begin), std::max(merged.end, last->end)};
      ++last;
    }
    if (first == last) {
      ranges_.insert(first, merged);
    } else {
      *first = merged;
      ranges_.erase(first + 1, last);
    }
    return merged.end - merged.begin - old;
  }

  std::vector<Range> ranges_;
};

}  // namespace waggle::packet
