// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace waggle::cli {

/// What an option of a datapath does, with the links that it is for.
std::string option_help(const OptionInfo& option);

/// The options of all datapaths on a command line. Option "queue_depth" of the datapath "uring" is
/// --uring-queue-depth=VALUE, or --set uring.queue_depth=VALUE.
class DatapathSettings {
 public:
  /// `group`: of --set; the named options are in a group of their own, after everything else.
  void add_to(CLI::App& app, const std::string& group);
  /// For ChannelOptions::settings. Fault::usage for --set with what no datapath knows.
  Result<std::map<std::string, std::string>> values() const;

 private:
  std::vector<std::string> set_;
  std::map<std::string, std::string> named_;
};

}  // namespace waggle::cli
