// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/option.hpp"
#include "harness/answers/record_set.hpp"
#include "harness/record/record.hpp"

/// The experiment that answers a question best: of this machine, and as near to what is asked as there is one.
namespace waggle::answers {

/// What is asked: an experiment that need not have been made, and what of it somebody has said.
struct Question {
  record::Asked asked;              ///< completed by defaults
  std::set<std::string> said;       ///< names of options; the others have their defaults
  std::string link = "auto";        ///< a kind of link, or "auto": any
  std::string file_size;            ///< the parameter with the size of the workload's one file; empty: there is none
  std::vector<OptionInfo> options;  ///< by which values are written as users write them
};

/// Where and when it is asked.
struct Here {
  record::Host host;               ///< this machine, as a record tells it
  record::Revision build;          ///< of this program
  std::string now;                 ///< UTC, as records have it
  std::set<std::string> networks;  ///< kinds of links that join machines; all others join processes of one
};

/// Whether a record was made on this machine: the same CPUs, as many of them, and as much memory. Another kernel is no
/// other machine.
bool is_of(const record::Host& here, const record::Record& record);

/// Where an experiment is not what is asked.
struct Difference {
  std::string option;    ///< "size"
  std::string asked;     ///< "1GiB"
  std::string recorded;  ///< "256MiB"
  bool said = false;     ///< somebody has said it; otherwise it is a default
  /// "--size=1GiB is asked, 256MiB was measured".
  std::string text() const;
};

struct Nearest {
  const Experiment* experiment = nullptr;  ///< null: none fits
  std::vector<Difference> differences;
  std::vector<const Experiment*> others;  ///< of the same record, over other links
  std::string why_none;                   ///< what there is instead, where none fits
  std::vector<std::string> aside;         ///< a line for each kind of records that were not looked at
};

/// Of `experiments` the one to answer from. One fits when it was made here, compares at least two contestants, has the
/// workload and the link of the question, and nothing that was said differs but for a number, by a factor of four at
/// most (sizes of 16 MiB and more are near each other, whatever they are). What nobody has said may be something else
/// in parameters of the workload, sink, cache and settings of datapaths, but not in what the hosts are joined by. Of
/// those that fit the nearest one is taken, of equally near ones that with most contestants, then the newest.
Nearest nearest(const std::vector<Experiment>& experiments, const Question& question, const Here& here);

/// The same of one record that was just made for the question, whatever differs.
Nearest measured(const std::vector<Experiment>& experiments, const Question& question);

}  // namespace waggle::answers
