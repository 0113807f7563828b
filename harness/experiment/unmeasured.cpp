// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/unmeasured.hpp"

#include "harness/experiment/suitability.hpp"

namespace waggle::experiment {

Result<record::Record> unmeasured(const Spec& asked, const Error& why) {
  Spec spec = asked;
  WAGGLE_LET(frame, begin_frame(spec));
  std::vector<Entry> entries;
  for (Pair& pair : spec.pairs) {
    WAGGLE_TRY(find_datapath(pair.sender));
    if (pair.receiver.empty()) {
      pair.receiver = default_receiver(pair.sender);
    }
    WAGGLE_TRY(find_datapath(pair.receiver));
    Entry entry = assess(pair, spec);
    if (!entry.problem) {
      entry.problem = why;
      if (why.fault == Fault::usage) {  // what makes no sense here may elsewhere: a CPU or a NIC that is not there
        entry.problem->fault = Fault::missing;
      }
      entry.unavailable = entry.problem->fault == Fault::missing;
    }
    entries.push_back(std::move(entry));
  }
  return build_record(spec, frame, entries);
}

}  // namespace waggle::experiment
