// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "datapaths/datapath.hpp"
#include "harness/experiment/requests.hpp"
#include "harness/experiment/spec.hpp"
#include "workloads/workload.hpp"

/// Between our types and JSON: what agents are told, what they answer, and what a record holds have the same form.
namespace waggle::experiment {

nlohmann::json to_json(const workloads::Parameters& parameters);
/// Fault::usage, naming it, for what is no option of this workload or does not fit; what is missing has its default.
Result<workloads::Parameters> parameters_from_json(const workloads::Workload& workload, const nlohmann::json& json);

nlohmann::json to_json(const ChannelOptions& options);
/// Fault::usage likewise. Of "settings" only the form is checked: datapaths read theirs when they open.
Result<ChannelOptions> channel_from_json(const nlohmann::json& json);

/// What a process is told to open.
Result<ChannelOptions> channel_options_of(const Opening& opening);

/// The record's "spec", from which spec_from_json() makes the same one again (like.hpp).
nlohmann::json to_json(const Spec& spec);

inline std::string_view name(Sink sink) {
  return word_of(sink);
}
inline std::string_view name(Cache cache) {
  return word_of(cache);
}

}  // namespace waggle::experiment
