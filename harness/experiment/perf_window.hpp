// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.hpp"
#include "harness/measure/software_events.hpp"
#include "harness/record/run.hpp"

namespace waggle::experiment {

/// The perf software events of one process between two moments, as far as they may be had.
class PerfWindow {
 public:
  explicit PerfWindow(pid_t process) : events_(measure::SoftwareEvents::start(process)) {
    if (events_) {
      before_ = events_->read();
    }
  }
  void end() {
    if (events_) {
      after_ = events_->read();
    }
  }
  /// What happened in between; nothing unless both readings were there.
  std::optional<record::Perf> counted() const {
    if (!before_ || !after_) {
      return std::nullopt;
    }
    return record::Perf{.task_clock_s = static_cast<double>(after_->task_clock_ns - before_->task_clock_ns) / 1e9,
                        .context_switches = after_->context_switches - before_->context_switches,
                        .migrations = after_->migrations - before_->migrations,
                        .page_faults = after_->page_faults - before_->page_faults};
  }

 private:
  Result<measure::SoftwareEvents> events_;
  Result<measure::SoftwareCounts> before_ = fail(Fault::missing, "not read");
  Result<measure::SoftwareCounts> after_ = fail(Fault::missing, "not read");
};

}  // namespace waggle::experiment
