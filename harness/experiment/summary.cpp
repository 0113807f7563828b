// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/summary.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/metric.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;
using Value = std::function<double(const json& run)>;

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kTolerance = 0.05;
/// Message headers are copied as well and count as copies; from this much payload per operation on they are far below
/// the tolerance, so that a difference means something.
constexpr double kLeastPayload = 64 * 1024;

/// Some of the runs.
class Runs {
 public:
  Runs(const json& all, const std::function<bool(const json& run)>& belongs) {
    for (const json& run : all) {
      if (belongs(run)) {
        runs_.push_back(&run);
      }
    }
  }
  bool empty() const { return runs_.empty(); }
  std::vector<double> values(const Value& value) const {
    std::vector<double> list;
    for (const json* run : runs_) {
      list.push_back(value(*run));
    }
    return list;
  }
  double median_of(const Value& value) const { return median(values(value)); }
  double sum_of(const Value& value) const {
    double sum = 0;
    for (const double each : values(value)) {
      sum += each;
    }
    return sum;
  }
  json interval(const Value& value) const { return to_json(interval_of(values(value))); }
  const std::vector<const json*>& all() const { return runs_; }

 private:
  std::vector<const json*> runs_;
};

Value member(const std::string& pointer) {
  return [path = json::json_pointer(pointer)](const json& run) { return run.at(path).get<double>(); };
}

json per_side(const Runs& runs, const std::string& before, const std::string& after) {
  json sides;
  for (const std::string side : {"sender", "receiver"}) {
    sides[side] = runs.median_of(member(before + side + after));
  }
  return sides;
}

double cpu_seconds(const json& run, const std::string& side) {
  return run.at(side).at("user_s").get<double>() + run.at(side).at("system_s").get<double>();
}

/// CPU time divided by `work` (payload in GiB, or operations); null when there was none.
json cost(const Runs& runs, const Value& work, double unit) {
  for (const json* run : runs.all()) {
    if (work(*run) == 0) {
      return nullptr;
    }
  }
  const auto per = [&](const Value& seconds) {
    return runs.interval([&](const json& run) { return seconds(run) / work(run) * unit; });
  };
  return {{"sender", per([](const json& run) { return cpu_seconds(run, "sender"); })},
          {"receiver", per([](const json& run) { return cpu_seconds(run, "receiver"); })},
          {"processes", per([](const json& run) { return cpu_seconds(run, "sender") + cpu_seconds(run, "receiver"); })},
          {"machine", per(member("/machine/busy_s"))}};
}

/// CPU time as a share of the window: 1 is one CPU that was busy all the time.
json cpu_share(const Runs& runs) {
  const auto share = [&](const Value& seconds) {
    return runs.interval([&](const json& run) { return seconds(run) / run.at("seconds").get<double>(); });
  };
  return {
      {"sender", share([](const json& run) { return cpu_seconds(run, "sender"); })},
      {"receiver", share([](const json& run) { return cpu_seconds(run, "receiver"); })},
      {"processes", share([](const json& run) { return cpu_seconds(run, "sender") + cpu_seconds(run, "receiver"); })},
      {"machine", share(member("/machine/busy_s"))}};
}

/// Counts that only the datapath knows, by name.
json counters(const Runs& runs, const std::string& side) {
  std::set<std::string> names;
  for (const json* run : runs.all()) {
    for (const auto& [name, count] : run->at(side).at("counters").items()) {
      names.insert(name);
    }
  }
  json medians = json::object();
  for (const std::string& name : names) {
    medians[name] =
        runs.median_of([&](const json& run) { return run.at(side).at("counters").value(name, std::uint64_t{0}); });
  }
  return medians;
}

std::string grade_of(const Runs& probed) {
  // The worst of them: a figure made from several runs is no better.
  for (const json* run : probed.all()) {
    if (run->at("trace").at("grade") == "traced") {
      return "traced";
    }
  }
  return probed.empty() ? "modelled" : "counted";
}

/// False when a side moved payload in a way whose copies no tracepoint tells of: then only the model knows.
bool sees_all(const Runs& probed, const std::string& side) {
  return std::ranges::all_of(probed.all(),
                             [&](const json* run) { return run->at("trace").at(side).value("unseen", "").empty(); });
}

/// Copies of one side at one place, measured beside modelled.
json copies_side(const Runs& timed, const Runs& probed, const std::string& side, const json& model) {
  const double traced_payload = probed.sum_of(member("/payload_bytes"));
  const double timed_payload = timed.sum_of(member("/payload_bytes"));
  json kernel{{"measured", nullptr}, {"verification", nullptr}, {"grade", "modelled"}};
  if (traced_payload > 0 && sees_all(probed, side)) {
    const std::string trace = "/trace/" + side;
    kernel = {{"measured", probed.sum_of(member(trace + "/kernel_copied_bytes")) / traced_payload},
              {"verification", probed.sum_of(member(trace + "/verification_copied_bytes")) / traced_payload},
              {"grade", grade_of(probed)}};
  }
  json user{{"measured", nullptr}, {"verification", nullptr}, {"grade", "modelled"}};
  // What somebody else's code copies passes no function that counts.
  if (timed_payload > 0 && model.value("uncounted", "").empty()) {
    user = {{"measured", timed.sum_of(member("/" + side + "/user_copied_bytes")) / timed_payload},
            {"verification", nullptr},
            {"grade", "counted"}};
  }
  kernel["modelled"] = model.at("kernel");
  user["modelled"] = model.at("user");
  kernel["because"] = user["because"] = model.at("because");
  return {{"kernel", kernel}, {"user", user}};
}

json total_copies(const json& copies) {
  double modelled = 0;
  double measured = 0;
  bool known = true;
  std::string grade = "counted";
  for (const char* side : {"sender", "receiver"}) {
    for (const char* place : {"kernel", "user"}) {
      const json& at = copies.at(side).at(place);
      modelled += at.at("modelled").get<double>();
      known = known && at.at("measured").is_number();
      measured += at.at("measured").is_number() ? at.at("measured").get<double>() : 0;
      grade = std::max(grade, at.at("grade").get<std::string>(), [](const std::string& a, const std::string& b) {
        const auto rank = [](const std::string& g) { return g == "counted" ? 0 : g == "traced" ? 1 : 2; };
        return rank(a) < rank(b);
      });
    }
  }
  return {{"measured", known ? json(measured) : json(nullptr)},
          {"grade", known ? grade : "modelled"},
          {"modelled", modelled}};
}

json disagreements(const json& copies) {
  json list = json::array();
  for (const char* side : {"sender", "receiver"}) {
    for (const char* place : {"kernel", "user"}) {
      const json& at = copies.at(side).at(place);
      if (!at.at("measured").is_number()) {
        continue;
      }
      const double measured = at.at("measured");
      const double modelled = at.at("modelled");
      const double difference = modelled > 0 ? (measured - modelled) / modelled : measured;
      if (std::abs(difference) > kTolerance) {
        list.push_back({{"side", side},
                        {"place", place},
                        {"measured", measured},
                        {"modelled", modelled},
                        {"difference", difference}});
      }
    }
  }
  return list;
}

json merged_latency(const Runs& runs) {
  std::map<std::string, Histogram> merged;
  for (const json* run : runs.all()) {
    for (const auto& [operation, distribution] : run->at("latency_ns").items()) {
      merge_distribution(merged[operation], distribution);
    }
  }
  json latency = json::object();
  for (const auto& [operation, histogram] : merged) {
    latency[operation] = to_json(histogram);
  }
  return latency;
}

json probe_cost(const Runs& timed, const Runs& probed) {
  if (probed.empty()) {
    return nullptr;
  }
  // Time per operation: a workload that runs for a fixed time does less in it when probed.
  const Value each = [](const json& run) {
    return run.at("seconds").get<double>() / std::max(1.0, run.at("operations").get<double>());
  };
  return {{"timed_seconds", timed.median_of(member("/seconds"))},
          {"probed_seconds", probed.median_of(member("/seconds"))},
          {"slowdown", probed.median_of(each) / timed.median_of(each) - 1}};
}

std::string name(Stop stop) {
  switch (stop) {
    case Stop::interval: return "interval";
    case Stop::budget: return "budget";
    case Stop::placement: return "placement";
    case Stop::most_runs:
    case Stop::no: break;
  }
  return "most_runs";
}

}  // namespace

json to_json(const Interval& interval) {
  return {{"median", interval.median},
          {"low", interval.low ? json(*interval.low) : json(nullptr)},
          {"high", interval.high ? json(*interval.high) : json(nullptr)},
          {"runs", interval.runs},
          {"coverage", interval.low ? json(coverage(interval.runs)) : json(nullptr)},
          {"drift", interval.drift}};
}

json summarise(const json& runs, const json& model, std::uint64_t clients, Stop stopped, const json& group) {
  const Runs timed(runs, [&](const json& run) { return counts(run, group); });
  const Runs probed(runs, [](const json& run) { return run.at("kind") == "probed" && run.at("status") == "ok"; });
  json copies{{"sender", copies_side(timed, probed, "sender", model.at("sender"))},
              {"receiver", copies_side(timed, probed, "receiver", model.at("receiver"))}};
  copies["total"] = total_copies(copies);
  const double payload_per_operation =
      timed.sum_of(member("/payload_bytes")) / std::max(1.0, timed.sum_of(member("/operations")));
  const auto peak = [&](const char* side) {
    return std::ranges::max(timed.values(member(std::string("/") + side + "/peak_memory_bytes")));
  };
  const auto traced = [&](const std::string& what) {
    return probed.empty() ? json(nullptr) : per_side(probed, "/trace/", "/" + what);
  };
  const auto counted = [&](const std::string& what) {
    return probed.empty() ? json(nullptr) : json(probed.median_of(member("/trace/" + what)));
  };
  return {
      {"stopped", name(stopped)},
      {"goodput_bits_per_second", timed.interval(member("/goodput_bits_per_second"))},
      {"operations_per_second", timed.interval(member("/operations_per_second"))},
      {"cpu_seconds_per_gib",
       cost(
           timed, [](const json& run) { return run.at("payload_bytes").get<double>() / kGiB; }, 1)},
      {"cpu_microseconds_per_operation", cost(timed, member("/operations"), 1e6)},
      {"cpu_share", cpu_share(timed)},
      {"counters", {{"sender", counters(timed, "sender")}, {"receiver", counters(timed, "receiver")}}},
      {"copies", copies},
      {"disagreements", payload_per_operation >= kLeastPayload ? disagreements(copies) : json::array()},
      {"system_calls", traced("system_calls")},
      {"mode_switches", traced("mode_switches")},
      {"context_switches",
       {{"voluntary", per_side(timed, "/", "/voluntary_switches")},
        {"involuntary", per_side(timed, "/", "/involuntary_switches")}}},
      {"page_faults",
       {{"minor", per_side(timed, "/", "/minor_faults")}, {"major", per_side(timed, "/", "/major_faults")}}},
      {"peak_memory_bytes", {{"sender", peak("sender")}, {"receiver", peak("receiver")}}},
      {"latency_ns", merged_latency(timed)},
      {"verify_share", timed.median_of([&](const json& run) {
         return std::min(
             1.0, run.at("verify_seconds").get<double>() /
                      (run.at("seconds").get<double>() * static_cast<double>(std::max<std::uint64_t>(1, clients))));
       })},
      {"tcp_retransmits", counted("tcp_retransmits")},
      {"packets_dropped", counted("packets_dropped")},
      {"probe_cost", probe_cost(timed, probed)},
  };
}

}  // namespace waggle::experiment
