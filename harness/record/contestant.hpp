// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/record/run.hpp"
#include "harness/record/summary.hpp"

/// What is compared, and all that is known of it.
namespace waggle::record {

/// What the channel of one party is made of (waggle::Facts).
struct Facts {
  std::string outgoing;  ///< datapath that moves extents out of this process
  std::string incoming;  ///< and the one that moves them into it
  std::string carrier;   ///< "stream" or "packet"
  std::vector<Mode> modes;
  bool operator==(const Facts&) const = default;
  static void fields(auto& m, auto& a) {
    a.member("outgoing", m.outgoing);
    a.member("incoming", m.incoming);
    a.member("carrier", m.carrier);
    a.member("modes", m.modes);
  }
};

/// Copies per payload byte that devices make by DMA; always modelled.
struct Dma {
  double copies = 0;
  std::string because;
  static void fields(auto& m, auto& a) {
    a.member("copies", m.copies);
    a.member("because", m.because);
  }
};

/// Copies per payload byte that the datapath declares for one party (waggle::CopyModel).
struct Model {
  double kernel = 0;
  double user = 0;
  std::string because;
  std::string uncounted = {};  ///< among `user`, those that code of others makes; empty: none
  Dma dma = {};
  static void fields(auto& m, auto& a) {
    a.member("kernel", m.kernel);
    a.member("user", m.user);
    a.member("because", m.because);
    a.optional("uncounted", m.uncounted);
    a.member("dma", m.dma);
  }
};

/// Who takes part in the runs of a contestant, and with what.
struct Participant {
  Role role = Role::peer;
  std::string host;
  std::string datapath;  ///< what moves payload there
  std::optional<Facts> facts = {};
  std::optional<Model> model = {};
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.member("host", m.host);
    a.member("datapath", m.datapath);
    a.optional("facts", m.facts);
    a.optional("model", m.model);
  }
};

/// What bounds the goodput from outside, and how much of it was reached.
struct Ceiling {
  double goodput_bits_per_second = 0;
  double share = 0;
  std::string because;
  static void fields(auto& m, auto& a) {
    a.member("goodput_bits_per_second", m.goodput_bits_per_second);
    a.member("share", m.share);
    a.member("because", m.because);
  }
};

struct Contestant {
  std::string label;
  std::string link;  ///< a member of Environment::links; empty when no link runs it
  Status status = Status::ok;
  std::optional<std::string> reason;  ///< why it failed or is unavailable
  std::optional<std::string> hint;
  std::optional<Fault> fault;
  std::optional<std::string> probe_problem;
  std::vector<Participant> parties;
  std::vector<Run> runs;
  std::optional<Summary> summary;
  std::optional<Ceiling> ceiling;
  std::vector<Elsewhere> elsewhere;

  bool ok() const { return status == Status::ok; }
  static void fields(auto& m, auto& a) {
    a.member("label", m.label);
    a.member("link", m.link);
    a.member("status", m.status);
    a.optional("reason", m.reason);
    a.optional("hint", m.hint);
    a.optional("fault", m.fault);
    a.optional("probe_problem", m.probe_problem);
    a.member("parties", m.parties);
    a.member("runs", m.runs);
    if (a.when(m.ok())) {
      a.expected("summary", m.summary);
    }
    a.optional("ceiling", m.ceiling);
    a.optional("elsewhere", m.elsewhere);
  }
};

}  // namespace waggle::record
