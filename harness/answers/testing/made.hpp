// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/answers/record_set.hpp"

/// Records for tests, made of nothing but the goodput of each round.
namespace waggle::answers::testing {

/// By label of the contestant, in Gbit/s.
using Rounds = std::map<std::string, std::vector<double>>;

/// A download over veth, created on that day of 2026-01 and in no suite.
record::Record made(const Rounds& rounds, int day = 1);

/// A point of the suite "bulk", whose experiment "size" sweeps the setting `size`.
record::Record at_size(const std::string& size, const Rounds& rounds, int day = 1);

/// A machine with so many CPUs of that model.
record::Host host_of(const std::string& model, int cpus = 2);

/// The same record, made on that machine.
record::Record made_on(const record::Host& host, record::Record record);

/// A set of one record.
RecordSet set_of(record::Record record);

}  // namespace waggle::answers::testing
