// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/histogram.hpp"
#include "datapaths/datapath.hpp"
#include "harness/experiment/spec.hpp"
#include "workloads/workload.hpp"

/// Between our types and JSON: what agents are told, what they answer, and what a record holds have the same form.
namespace waggle::experiment {

nlohmann::json to_json(const workloads::Parameters& parameters);
workloads::Parameters parameters_from_json(const nlohmann::json& json);

nlohmann::json to_json(const ChannelOptions& options);
ChannelOptions channel_from_json(const nlohmann::json& json);

nlohmann::json to_json(const Facts& facts);
nlohmann::json to_json(const Spec& spec);

/// A distribution of the record. The histogram must not be empty.
nlohmann::json to_json(const Histogram& histogram);

std::string_view name(Sink sink);
std::string_view name(Cache cache);
std::string_view name(NapiChoice napi);
std::string_view name(PlacementRule rule);

}  // namespace waggle::experiment
