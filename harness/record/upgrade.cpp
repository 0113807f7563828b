// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/upgrade.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "harness/record/names.hpp"
#include "harness/record/record.hpp"

namespace waggle::record {
namespace {

using nlohmann::json;

/// The sides that version 1 has members for.
constexpr std::array kSides{Role::sender, Role::receiver};

/// Moves a member out; null where there is none.
json take(json& from, const std::string& name) {
  if (!from.is_object() || !from.contains(name)) {
    return nullptr;
  }
  json value = std::move(from[name]);
  from.erase(name);
  return value;
}

json take(json& from, Role role) {
  return take(from, std::string(name(role)));
}

/// What older records do not tell.
void complete(json& object, const char* name, json value) {
  if (object.is_object() && !object.contains(name)) {
    object[name] = std::move(value);
  }
}

json interval(json old) {
  complete(old, "coverage", nullptr);
  complete(old, "drift", 0);
  return old;
}

/// Who was where: the record says which end sent payload, and which CPUs the ends had.
struct Places {
  bool server_sends = true;
  json server_cpu;
  json client_cpu;
  bool is_server(Role role) const { return (role == Role::sender) == server_sends; }
  const char* host(Role role) const { return is_server(role) ? "server" : "client"; }
  const json& cpu(Role role) const { return is_server(role) ? server_cpu : client_cpu; }
};

json model(json old, Role role, const json& dma) {
  if (old.is_object()) {
    const std::string side(name(role));
    old["dma"] = {{"copies", dma.is_object() ? dma.value(side, json(0)) : json(0)},
                  {"because", dma.is_object() ? dma.value("because", json("")) : json("")}};
  }
  return old;
}

json facts(json old) {
  if (old.is_object()) {
    old["outgoing"] = take(old, Role::sender);
    old["incoming"] = take(old, Role::receiver);
  }
  return old;
}

json participants(json& pair, const Places& places) {
  json known_facts = take(pair, "facts");
  json models = take(pair, "model");
  const json dma = take(models, "dma");
  json list = json::array();
  for (const Role role : kSides) {
    json party{{"role", name(role)}, {"host", places.host(role)}, {"datapath", take(pair, role)}};
    if (json of_side = facts(take(known_facts, role)); !of_side.is_null()) {
      party["facts"] = std::move(of_side);
    }
    if (json of_side = model(take(models, role), role, dma); !of_side.is_null()) {
      party["model"] = std::move(of_side);
    }
    list.push_back(std::move(party));
  }
  return list;
}

json trace(json old) {
  if (old.is_object()) {
    json list = json::array();
    for (const Role role : kSides) {
      json side = take(old, role);
      complete(side, "unseen", "");
      complete(side, "role", name(role));
      list.push_back(std::move(side));
    }
    old["parties"] = std::move(list);
  }
  return old;
}

json run(json old, const Places& places) {
  if (!old.is_object() || old.value("status", json()) != name(Outcome::ok)) {
    return old;
  }
  json list = json::array();
  for (const Role role : kSides) {
    list.push_back(
        {{"role", name(role)}, {"host", places.host(role)}, {"cpu", places.cpu(role)}, {"usage", take(old, role)}});
  }
  old["parties"] = std::move(list);
  for (const char* kind : {"user_s", "nice_s", "system_s", "idle_s", "iowait_s", "irq_s"}) {
    complete(old["machine"], kind, 0);
  }
  if (json seen = take(old, "trace"); !seen.is_null()) {
    old["trace"] = trace(std::move(seen));
  }
  return old;
}

/// Moves the parts of a cost that parties have into `parties`.
json cost(json old, const char* name, json& parties) {
  for (std::size_t i = 0; i < kSides.size(); ++i) {
    parties[i][name] = interval(take(old, kSides[i]));
  }
  if (old.is_object()) {
    return {{"processes", interval(take(old, "processes"))}, {"machine", interval(take(old, "machine"))}};
  }
  return old;
}

/// Members of parties that version 1 has the other way round: by figure, then by side.
void turn(json& old, json& parties, const std::string& figure) {
  json by_side = take(old, figure);
  for (std::size_t i = 0; i < kSides.size(); ++i) {
    parties[i][figure] = take(by_side, kSides[i]);
  }
}

void turn_pair(json& old, json& parties, const std::string& figure, const std::string& first,
               const std::string& second) {
  json both = take(old, figure);
  for (const std::string& part : {first, second}) {
    json by_side = take(both, part);
    for (std::size_t i = 0; i < kSides.size(); ++i) {
      parties[i][figure][part] = take(by_side, kSides[i]);
    }
  }
}

json summary(json old) {
  if (!old.is_object()) {
    return old;
  }
  json parties = json::array();
  for (const Role role : kSides) {
    parties.push_back({{"role", name(role)}});
  }
  for (const char* figure : {"cpu_seconds_per_gib", "cpu_microseconds_per_operation", "cpu_share"}) {
    old[figure] = cost(take(old, figure), figure, parties);
  }
  for (const char* figure : {"system_calls", "mode_switches", "peak_memory_bytes", "counters"}) {
    turn(old, parties, figure);
  }
  turn_pair(old, parties, "context_switches", "voluntary", "involuntary");
  turn_pair(old, parties, "page_faults", "minor", "major");
  json copies = take(old, "copies");
  for (std::size_t i = 0; i < kSides.size(); ++i) {
    parties[i]["copies"] = take(copies, kSides[i]);
  }
  old["copies"] = take(copies, "total");
  for (json& one : old["disagreements"]) {
    if (one.is_object()) {
      one["role"] = take(one, "side");
    }
  }
  for (const char* figure : {"goodput_bits_per_second", "operations_per_second"}) {
    old[figure] = interval(take(old, figure));
  }
  old["ratio"] = interval(take(old, "ratio"));
  old["parties"] = std::move(parties);
  return old;
}

json contestant(json pair, const Places& places) {
  if (!pair.is_object()) {
    return pair;
  }
  complete(pair, "link", "");
  pair["parties"] = participants(pair, places);
  for (json& each : pair["runs"]) {
    each = run(std::move(each), places);
  }
  if (json figures = take(pair, "summary"); !figures.is_null()) {
    pair["summary"] = summary(std::move(figures));
  }
  if (json others = take(pair, "elsewhere"); others.is_array()) {
    for (json& other : others) {
      json figures = take(other, "summary");
      complete(other, "summary", summary(std::move(figures)));
    }
    pair["elsewhere"] = std::move(others);
  }
  return pair;
}

/// Both ends of a link that has members for them.
json by_host(json& old, const std::string& server, const std::string& client) {
  json both = json::object();
  for (const auto& [host, name] : {std::pair{"server", server}, {"client", client}}) {
    if (json value = take(old, name); !value.is_null()) {
      both[host] = std::move(value);
    }
  }
  return both;
}

/// Version 1 knew one machine, on which both ends of all links were; it has members of that beside those of all.
json environment(json old) {
  if (!old.is_object()) {
    return old;
  }
  json all = json::object();
  for (const char* name : {"noisy", "noise", "placement_ns", "links"}) {
    if (old.contains(name)) {
      all[name] = take(old, name);
    }
  }
  if (json& links = all["links"]; links.is_object()) {
    for (json& link : links) {
      if (link.is_object()) {
        link["addresses"] = by_host(link, "server_address", "client_address");
      }
    }
  }
  complete(old, "throttled_s", nullptr);
  complete(old, "pressure", json::object());
  old["names"] = {"server", "client"};
  all["hosts"] = json::array({std::move(old)});
  return all;
}

json placement(json old) {
  if (!old.is_object()) {
    return old;
  }
  old["cpus"] = {{{"host", "server"}, {"cpu", take(old, "server_cpu")}},
                 {{"host", "client"}, {"cpu", take(old, "client_cpu")}}};
  return old;
}

}  // namespace

json upgrade(json document) {
  if (!document.is_object() || document.value("schema", json()) != kSchema1) {
    return document;
  }
  document["schema"] = kSchema;
  complete(document["workload"], "idle", false);
  document["environment"] = environment(take(document, "environment"));
  if (document.contains("placement")) {
    document["placement"] = placement(take(document, "placement"));
  }
  Places places{.server_cpu = 0, .client_cpu = 0};
  if (const json& workload = document["workload"]; workload.is_object()) {
    places.server_sends = workload.value("server_sends", json(true)) == true;
  }
  if (const json& spec = document["spec"]; spec.is_object()) {
    places.server_cpu = spec.value("server_cpu", json(0));
    places.client_cpu = spec.value("client_cpu", json(0));
  }
  json contestants = take(document, "pairs");
  if (contestants.is_array()) {
    for (json& pair : contestants) {
      pair = contestant(std::move(pair), places);
    }
  }
  document["contestants"] = std::move(contestants);
  return document;
}

}  // namespace waggle::record
