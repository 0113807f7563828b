// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/record/record.hpp"

/// Counts of single runs as figures (figures.hpp).
namespace waggle::report {

double switches_of(const record::Usage& usage);
double faults_of(const record::Usage& usage);
double peak_of(const record::Usage& usage);
/// A count that only the datapath knows; 0 where it has not counted.
double counted_by(const record::Usage& usage, const std::string& name);

/// A value without an interval.
record::Interval single(double value, std::size_t runs);

/// A value that a record tells, with the interval of what single runs had. It lies within, even where it is no median
/// of theirs: the highest of all, or a sum of medians.
record::Interval spread(double value, const std::vector<double>& runs);

record::Interval scaled(record::Interval interval, double factor);

}  // namespace waggle::report
