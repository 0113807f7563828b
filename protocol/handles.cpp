// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/handles.hpp"

#include <algorithm>

namespace waggle::protocol {

bool Coverage::add(std::uint64_t offset, std::uint64_t length) {
  Interval added{offset, offset + length};
  auto first = std::lower_bound(intervals_.begin(), intervals_.end(), added.begin,
                                [](const Interval& interval, std::uint64_t begin) { return interval.end < begin; });
  auto last = first;
  for (; last != intervals_.end() && last->begin <= added.end; ++last) {
    added.begin = std::min(added.begin, last->begin);
    added.end = std::max(added.end, last->end);
  }
  if (first == last) {
    if (intervals_.size() == kMost) {
      return false;
    }
    intervals_.insert(first, added);
    return true;
  }
  *first = added;
  intervals_.erase(first + 1, last);
  return true;
}

void Coverage::subtract(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  std::vector<Interval> left;
  for (const Interval& interval : intervals_) {
    if (interval.begin < offset) {
      left.push_back({interval.begin, std::min(interval.end, offset)});
    }
    if (interval.end > end) {
      left.push_back({std::max(interval.begin, end), interval.end});
    }
  }
  intervals_ = std::move(left);
}

bool Coverage::covers(std::uint64_t size) const {
  return size == 0 || (intervals_.size() == 1 && intervals_[0].begin == 0 && intervals_[0].end >= size);
}

}  // namespace waggle::protocol
