// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/option.hpp"
#include "base/result.hpp"
#include "harness/experiment/spec.hpp"

/// A declared set of experiments (workloads/suites/*.toml), read and expanded.
namespace waggle::suite {

/// What a suite says of itself.
struct Head {
  std::string name;   ///< of its file, without ".toml"
  std::string title;  ///< one line
  std::string about;
  std::vector<std::string> claims;  ///< ids that it speaks to
  double seconds = 0;               ///< about how long it takes on two cores; 0: it does not say
};

/// One experiment of a suite, at one point of what it sweeps.
struct Planned {
  std::string suite;  ///< the one that declares it, which may be included in another
  std::string id;
  std::string title;
  std::map<std::string, std::string> point;  ///< each value that is in a list, as it is written
  experiment::Spec spec;                     ///< settled, with its pairs
  std::string digest;                        ///< digest_of(spec)
  std::optional<Error> problem = {};         ///< why this machine cannot even begin it

  /// "goodput-by-size, size=64KiB"
  std::string label() const;
};

struct Suite {
  Head head;
  std::vector<Planned> experiments;
};

/// What a call says instead of the file: of every experiment, and where their files are made.
struct Overrides {
  OptionValues values;  ///< of experiment::spec_options()
  std::optional<std::uint64_t> runs;
};

/// The experiments of the file and of those that it includes, lists swept: the first list of an experiment changes
/// slowest. Fault::usage with one line, FILE:LINE:COLUMN in front, for what it does not know or take.
Result<Suite> read_suite(const std::filesystem::path& file, const Overrides& overrides = {});
/// Only what it says of itself; its experiments are not looked at.
Result<Head> read_head(const std::filesystem::path& file);

/// Of the settings but for the seed of the order, the place of the files and the CPUs that were chosen: experiments of
/// one digest measure the same.
std::string digest_of(const experiment::Spec& spec);

}  // namespace waggle::suite
