// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/replies.hpp"

#include "harness/experiment/timeline.hpp"

namespace waggle::experiment {

record::Measured measured_of(const ClientTold& client, const Progress& progress) {
  record::Measured run;
  run.seconds = static_cast<double>(client.end_ns - client.start_ns) / 1e9;
  run.payload_bytes = client.payload_bytes;
  run.operations = client.operations;
  run.goodput_bits_per_second = static_cast<double>(client.payload_bytes) * 8 / run.seconds;
  run.operations_per_second = static_cast<double>(client.operations) / run.seconds;
  run.latency_ns = client.latency_ns;
  run.verify_seconds = static_cast<double>(client.verify_ns) / 1e9;
  run.timeline = timeline_of(progress, client.end_ns);
  return run;
}

}  // namespace waggle::experiment
