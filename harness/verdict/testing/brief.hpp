// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/verdict/evidence.hpp"
#include "harness/verdict/rules.hpp"

/// Records in short: what a verdict looks at, and nothing else.
namespace waggle::verdict::testing {

/// One that was measured: a timed run in each round with that goodput, one GiB each. Its sender has `copies` per byte
/// in the kernel, traced, and `switches` mode switches per run.
struct Measured {
  std::string label;
  std::vector<double> goodput;
  double copies = 0;
  double switches = 24;
  std::string link = "veth";
};
record::Contestant contestant(const Measured& measured);
/// One that could not run, or of which a run failed.
record::Contestant without(const std::string& label, record::Status status, const std::string& reason,
                           const std::string& hint = {});

/// Of the experiment "size" in the suite "bulk".
record::Record record_at(const Point& point, std::vector<record::Contestant> contestants,
                         const std::string& created = "2026-11-21T10:00:00Z");

/// "goodput of sendfile IS …" in that experiment.
Rule rule(Is is, std::optional<double> value);
/// "goodput of sendfile IS that of THAN".
Rule rule(Is is, const std::string& than, double times = 1);

/// So many values around `middle`, between `middle - spread` and `middle + spread`, that go up and down.
std::vector<double> around(double middle, double spread, std::size_t values = 8);

/// Records with their files, as a report has them.
struct Given {
  std::vector<record::Record> records;
  std::vector<Recorded> list;
  explicit Given(std::vector<record::Record> all) : records(std::move(all)) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      list.push_back({.file = "r" + std::to_string(i) + ".json", .record = &records[i]});
    }
  }
};

}  // namespace waggle::verdict::testing
