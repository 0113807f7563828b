// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.hpp"
#include "base/result.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// The command line: one file per command (commands/), which registers itself and is named once in meson.build there.
namespace waggle::cli {

/// Options that every command has, and the line that was typed.
struct Global {
  bool json = false;   ///< print JSON for programs instead of tables
  bool quiet = false;  ///< no progress, no notes: only the result, or the error
  bool plain = false;  ///< never colour, whatever the terminal
  std::vector<std::string> command_line;
};

/// One command of the program.
class Command {
 public:
  using Registered = Command;
  virtual ~Command() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;  ///< one line, no full stop
  /// Ends the command's --help: one example per line, each as it would be typed, with a "# comment" if it needs one.
  virtual std::string_view examples() const = 0;
  /// Binds options to members; called once, before parsing. Names of the options in Global are taken.
  virtual void add_options(CLI::App& app) = 0;
  /// Does the work. The result goes to stdout, everything else to stderr; the error is printed by the caller, and
  /// decides the exit code (base/result.hpp). Success means: done and verified.
  virtual Result<> run(const Global& global) = 0;
};

/// Parses the command line and runs the command that it names. Returns the exit code; prints at most one line on stderr
/// when something is wrong: "harness: what; hint".
int run_program(int argc, const char* const* argv);

// Options with units, for add_options(). A value that makes no sense ends the program with exit code 2.

/// Bytes: "65536", "64KiB", "1.5GiB", "10MB".
CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::uint64_t& target, const std::string& help);
/// Seconds: "90", "1.5s", "200ms", "2min"; more than 0.
CLI::Option* add_seconds(CLI::App& app, const std::string& name, double& target, const std::string& help);
/// The same where 0 means something.
CLI::Option* add_seconds_or_none(CLI::App& app, const std::string& name, double& target, const std::string& help);
/// Per second: "1500", "20k".
CLI::Option* add_rate(CLI::App& app, const std::string& name, double& target, const std::string& help);
/// One of a few words.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help);

}  // namespace waggle::cli
