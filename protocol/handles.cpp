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
  if (length == 0) {
    return;
  }
  std::vector<Interval> left;
  left.reserve(intervals_.size() + 1);
  std::size_t hole = 0;  // the part behind it, when one interval became two
  for (const Interval& interval : intervals_) {
    if (interval.begin < offset) {
      left.push_back({interval.begin, std::min(interval.end, offset)});
    }
    if (interval.end > end) {
      hole = interval.begin < offset ? left.size() : hole;
      left.push_back({std::max(interval.begin, end), interval.end});
    }
  }
  if (left.size() > kMost) {
    const auto behind = left.begin() + static_cast<std::ptrdiff_t>(hole);
    const auto before = behind - 1;
    left.erase(before->end - before->begin < behind->end - behind->begin ? before : behind);
  }
  intervals_ = std::move(left);
}

bool Coverage::covers(std::uint64_t size) const {
  return size == 0 || (intervals_.size() == 1 && intervals_[0].begin == 0 && intervals_[0].end >= size);
}

bool FileBudget::Pool::take(std::size_t count, std::size_t spare) {
  std::size_t now = used.load();
  do {
    if (now + count + spare > most) {
      return false;
    }
  } while (!used.compare_exchange_weak(now, now + count));
  return true;
}

FileShare FileBudget::take(const std::shared_ptr<FileAccount>& account, std::size_t count) {
  if (account->few + count <= kFew && reserve_.take(count, 0)) {
    return share(account, count, true);
  }
  return shared_.take(count, account->shared) ? share(account, count, false) : FileShare();
}

/// What was taken, until nobody holds it.
FileShare FileBudget::share(std::shared_ptr<FileAccount> account, std::size_t count, bool reserved) {
  (reserved ? account->few : account->shared) += count;
  const auto give = [account = std::move(account), count, reserved](FileBudget* budget) {
    (reserved ? account->few : account->shared) -= count;
    (reserved ? budget->reserve_ : budget->shared_).used.fetch_sub(count);
  };
  // The deleter's argument keeps the budget: shares may be given back after everybody else has left it.
  return {this, [keep = shared_from_this(), give](FileBudget* budget) { give(budget); }};
}

}  // namespace waggle::protocol
