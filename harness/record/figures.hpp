// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Figures of which the other parts of a record are made. Each type tells its members once, in fields(m, a), to
/// whatever reads, writes or checks them (archive.hpp).
namespace waggle::record {

using Counts = std::map<std::string, std::uint64_t>;
using Amounts = std::map<std::string, double>;

/// A mode as it was requested and as it was granted.
struct Mode {
  std::string name;
  std::string requested;
  std::string granted;
  std::vector<std::string> before = {};  ///< what was granted instead while runs were measured, in order
  bool operator==(const Mode&) const = default;
  static void fields(auto& m, auto& a) {
    a.member("name", m.name);
    a.member("requested", m.requested);
    a.member("granted", m.granted);
    a.optional("before", m.before);
  }
};

/// A median over runs and how well it is known.
struct Interval {
  double median = 0;
  std::optional<double> low;  ///< of the confidence interval; nothing where it would hold less than half of the time
  std::optional<double> high;
  std::size_t runs = 0;
  std::optional<double> coverage;  ///< how often it holds the true median, of values that drift an upper bound
  double drift = 0;                ///< correlation of neighbouring values that the interval was widened for, 0…0.8

  /// Half the interval's width as a share of the median; nothing when there is no interval or the median is 0.
  std::optional<double> half_width() const {
    return !low || !high || median == 0 ? std::nullopt : std::optional((*high - *low) / 2 / std::abs(median));
  }
  static void fields(auto& m, auto& a) {
    a.member("median", m.median);
    a.nullable("low", m.low);
    a.nullable("high", m.high);
    a.member("runs", m.runs);
    a.nullable("coverage", m.coverage);
    a.member("drift", m.drift);
  }
};

/// To the best contestant over the same link, within rounds that both have.
struct Ratio {
  std::string to;
  Interval interval;
  static void fields(auto& m, auto& a) {
    a.member("to", m.to);
    Interval::fields(m.interval, a);
  }
};

/// Latencies of one operation in nanoseconds. A percentile that its samples do not carry is nothing.
struct Distribution {
  std::uint64_t count = 0;
  double mean = 0;
  std::optional<std::uint64_t> p50;
  std::optional<std::uint64_t> p90;
  std::optional<std::uint64_t> p99;
  std::optional<std::uint64_t> p999;
  std::uint64_t max = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets;  ///< lowest value, count
  static void fields(auto& m, auto& a) {
    a.member("count", m.count);
    a.member("mean", m.mean);
    a.nullable("p50", m.p50);
    a.nullable("p90", m.p90);
    a.nullable("p99", m.p99);
    a.nullable("p999", m.p999);
    a.member("max", m.max);
    a.member("buckets", m.buckets);
  }
};
using Latencies = std::map<std::string, Distribution>;  ///< by operation

/// The same reading before and after; nothing where it could not be had.
struct BeforeAfter {
  std::optional<double> before;
  std::optional<double> after;
  static void fields(auto& m, auto& a) {
    a.nullable("before", m.before);
    a.nullable("after", m.after);
  }
};

/// How long the same pieces of work took (measure::Calibration).
struct Calibration {
  std::uint64_t arithmetic_ns = 0;
  std::uint64_t memory_ns = 0;
  double spread = 0;
  static void fields(auto& m, auto& a) {
    a.member("arithmetic_ns", m.arithmetic_ns);
    a.member("memory_ns", m.memory_ns);
    a.member("spread", m.spread);
  }
};

struct Calibrations {
  Calibration before;
  Calibration after;
  static void fields(auto& m, auto& a) {
    a.member("before", m.before);
    a.member("after", m.after);
  }
};

}  // namespace waggle::record
