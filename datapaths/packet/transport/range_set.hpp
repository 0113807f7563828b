// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace waggle::packet {

/// Half-open ranges of 64-bit numbers, kept sorted and merged. Made for the usual case of one range that grows at its
/// end, without allocation. Whoever adds what a peer chooses bounds their number: see touches().
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

  /// Takes [begin, end) out.
  void remove(std::uint64_t begin, std::uint64_t end) {
    auto first =
        std::upper_bound(live(), ranges_.end(), begin, [](auto at, const Range& range) { return at < range.end; });
    if (begin >= end || first == ranges_.end() || first->begin >= end) {
      return;
    }
    if (first->begin < begin) {
      const Range whole = *first;
      first->end = begin;
      ++first;
      if (whole.end > end) {
        ranges_.insert(first, {end, whole.end});
        return;
      }
    }
    auto last = first;
    while (last != ranges_.end() && last->end <= end) {
      ++last;
    }
    if (last != ranges_.end()) {
      last->begin = std::max(last->begin, end);
    }
    ranges_.erase(first, last);
    settle();
  }

  bool contains(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::ranges::upper_bound(ranges(), begin, {}, &Range::begin);
    return found != ranges().begin() && std::prev(found)->end >= end;
  }

  /// Whether add(begin, end) would make no new range.
  bool touches(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::ranges::lower_bound(ranges(), begin, {}, &Range::end);
    return found != ranges().end() && found->begin <= end;
  }

  /// The first part of [begin, end) that is not here; empty, at `end`, when all of it is.
  Range missing(std::uint64_t begin, std::uint64_t end) const {
    if (ranges_.empty() || begin >= ranges_.back().end) [[likely]] {
      return {begin, end};
    }
    auto next = std::ranges::upper_bound(ranges(), begin, {}, &Range::begin);
    if (next != ranges().begin()) {
      begin = std::max(begin, std::prev(next)->end);
    }
    return {std::min(begin, end), next == ranges().end() ? end : std::min(end, next->begin)};
  }

  /// End of the range that holds `from`, or `from` itself.
  std::uint64_t contiguous_from(std::uint64_t from) const {
    const auto found = std::ranges::upper_bound(ranges(), from, {}, &Range::begin);
    return found == ranges().begin() ? from : std::max(from, std::prev(found)->end);
  }

  /// Forgets everything below.
  void drop_below(std::uint64_t bound) {
    while (first_ < ranges_.size() && ranges_[first_].end <= bound) {
      ++first_;
    }
    settle();
    if (!ranges_.empty()) {
      ranges_[first_].begin = std::max(ranges_[first_].begin, bound);
    }
  }
  void drop_lowest() {
    ++first_;
    settle();
  }

  std::span<const Range> ranges() const { return std::span(ranges_).subspan(first_); }
  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size() - first_; }
  void clear() {
    ranges_.clear();
    first_ = 0;
  }

 private:
  using Ranges = std::vector<Range>;

  Ranges::iterator live() { return ranges_.begin() + static_cast<std::ptrdiff_t>(first_); }

  /// What was dropped in front goes away when it is the larger part, so that dropping costs nothing on average.
  void settle() {
    if (first_ == ranges_.size()) {
      clear();
    } else if (2 * first_ > ranges_.size()) {
      ranges_.erase(ranges_.begin(), live());
      first_ = 0;
    }
  }

  std::uint64_t insert(std::uint64_t begin, std::uint64_t end) {
    // The first range that touches [begin, end), and the first behind it.
    auto first =
        std::lower_bound(live(), ranges_.end(), begin, [](const Range& range, auto at) { return range.end < at; });
    auto last = first;
    std::uint64_t old = 0;
    Range merged{begin, end};
    while (last != ranges_.end() && last->begin <= end) {
      old += last->end - last->begin;
      merged = {std::min(merged.begin, last->begin), std::max(merged.end, last->end)};
      ++last;
    }
    if (first != last) {
      *first = merged;
      ranges_.erase(first + 1, last);
    } else if (first_ > 0 && first == live()) {
      ranges_[--first_] = merged;
    } else {
      ranges_.insert(first, merged);
    }
    return merged.end - merged.begin - old;
  }

  Ranges ranges_;
  std::size_t first_ = 0;  // those in front of it are dropped; fewer than there are, or none
};

}  // namespace waggle::packet
