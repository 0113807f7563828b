// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <system_error>

#include "base/standard_error.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "harness/topology/limits.hpp"

namespace waggle::cli {
namespace {

constexpr std::string_view kAbout =
    "Which path should file bytes take from one host to another? One file-transfer protocol, many datapaths,\n"
    "one harness that measures them all alike.\n";

const std::vector<std::unique_ptr<Command>>& commands() {
  return Registry<Command>::instance().owned();
}

Command* find_command(std::string_view name) {
  const auto& all = commands();
  const auto found = std::ranges::find_if(all, [&](const auto& command) { return command->name() == name; });
  return found == all.end() ? nullptr : found->get();
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    names.emplace_back(command->name());
  }
  return names;
}

std::string overview() {
  std::string text = fmt::format("{}\nUsage: harness COMMAND [OPTIONS]\n\nCommands:\n", kAbout);
  for (const auto& command : commands()) {
    text += fmt::format("  {:<10}{}\n", command->name(), command->summary());
  }
  text += "\nEvery command takes:\n";
  text += "  --help      what it does, its options and examples\n";
  text += "  --json      JSON for programs instead of tables\n";
  text += "  --quiet     no progress and no notes\n";
  text += "  --no-color  never colour (the environment variable NO_COLOR does the same)\n";
  text +=
      "\nExit codes: 0 done and verified, 1 failed, 2 wrong use, 3 this machine lacks something, 130 interrupted.\n";
  text += "\nStart with `harness doctor`, then `harness run --datapath=sendfile`.\n";
  return text;
}

void add_global_options(CLI::App& app, Global& global) {
  app.add_flag("--json", global.json, "JSON for programs instead of tables")->group("Output");
  app.add_flag("--quiet,-q", global.quiet, "no progress and no notes")->group("Output");
  app.add_flag("--no-color", global.plain, "never colour; NO_COLOR does the same")->group("Output");
}

/// The first argument that CLI11 could not place, as one clear line.
Error unexpected(const Command& command, const CLI::App& app) {
  const auto left = app.remaining();
  const std::string& first = left.front();
  const std::string help = fmt::format("see `harness {} --help`", command.name());
  if (!first.starts_with("-")) {
    return {Fault::usage, fmt::format("{} does not know what to do with '{}'", command.name(), first), help, 0};
  }
  const std::string option = first.substr(0, first.find('='));
  std::vector<std::string> names;
  for (const auto* known : app.get_options()) {
    for (const auto& name : known->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::string closest = suggest(option, names);
  return {Fault::usage, fmt::format("{} has no option '{}'", command.name(), option),
          closest.empty() ? help : fmt::format("did you mean {}?", closest), 0};
}

/// CLI11 would take the next argument for the value that is missing.
Result<> check_values(std::span<const std::string> args) {
  for (const std::string& arg : args) {
    if (arg == "--") {
      break;
    }
    if (arg.starts_with("--") && arg.size() > 3 && arg.ends_with('=') && std::ranges::count(arg, '=') == 1) {
      return fail(Fault::usage, fmt::format("{} has no value", arg),
                  fmt::format("write it like {}VALUE, or leave it out", arg));
    }
    if (arg.starts_with("--help=")) {
      return fail(Fault::usage, "--help takes no value", "leave it out");
    }
  }
  return {};
}

Result<> parse(Command& command, CLI::App& app, std::span<const std::string> args) {
  WAGGLE_TRY(check_values(args));
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // CLI11 takes them from the back
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ExtrasError&) {
    return std::unexpected(unexpected(command, app));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view said =
        error.what();  // "--name: At Most 1 required but received 2", "--name: 1 required TEXT missing"
    const auto name = said.substr(0, said.find(':'));
    const auto help = fmt::format("see `harness {} --help`", command.name());
    return said.contains("At Most")
               ? fail(Fault::usage, fmt::format("{} does not take so many values", name), "give it one; " + help)
               : fail(Fault::usage, fmt::format("{} has no value, or too few", name), help);
  } catch (const CLI::ParseError& error) {
    std::string what = error.what();
    std::ranges::replace(what, '\n', ' ');
    std::string hint = what.contains("; ") ? "" : fmt::format("see `harness {} --help`", command.name());
    return fail(Fault::usage, std::move(what), std::move(hint));
  }
  return {};
}

Result<> run_command(Command& command, Global& global, std::span<const std::string> args) {
  CLI::App app(std::string(command.summary()), fmt::format("harness {}", command.name()));
  app.set_help_flag();
  bool help = false;
  app.get_formatter()->column_width(34);
  command.add_options(app);
  // An option has one word, lists have commas: what follows is no value of it.
  for (auto* option : app.get_options(
           [](const CLI::Option* one) { return one->nonpositional() && one->get_items_expected_max() > 1; })) {
    option->allow_extra_args(false);
  }
  add_global_options(app, global);
  app.add_flag("--help,-h", help, "this text")->group("Output");
  app.footer(fmt::format("Examples:\n{}", command.examples()));
  // Before parsing: asking for help must work whatever else is wrong or missing.
  const auto options = std::ranges::subrange(args.begin(), std::ranges::find(args, "--"));
  if (std::ranges::find(options, "--help") != options.end() || std::ranges::find(options, "-h") != options.end()) {
    std::string text = app.help();
    for (auto at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n")) {
      text.erase(at, 1);
    }
    fmt::print("{}", text);
    return {};
  }
  WAGGLE_TRY(parse(command, app, args));
  global.plain = global.plain || (std::getenv("NO_COLOR") != nullptr && *std::getenv("NO_COLOR") != '\0');
  return command.run(global);
}

Result<> dispatch(Global& global, std::vector<std::string> args) {
  const auto is_name = [](const std::string& arg) { return !arg.starts_with("-"); };
  auto at = std::ranges::find_if(args, is_name);
  if (at != args.end() && *at == "help") {  // "help run" is "run --help"
    args.erase(at);
    args.emplace_back("--help");
    at = std::ranges::find_if(args, is_name);
  }
  if (at == args.end()) {
    if (std::ranges::find(args, "--version") != args.end()) {
      fmt::print("harness {}\n", WAGGLE_VERSION);
      return {};
    }
    if (std::ranges::find(args, "--help") != args.end() || std::ranges::find(args, "-h") != args.end()) {
      fmt::print("{}", overview());
      return {};
    }
    return fail(Fault::usage, "no command was given",
                fmt::format("choose one of: {} (`harness --help` explains them)", fmt::join(command_names(), ", ")));
  }
  const std::string name = *at;
  args.erase(at);
  Command* command = find_command(name);
  if (command == nullptr) {
    const std::string closest = suggest(name, command_names());
    return fail(Fault::usage, fmt::format("there is no command '{}'", name),
                closest.empty() ? fmt::format("choose one of: {}", fmt::join(command_names(), ", "))
                                : fmt::format("did you mean {}?", closest));
  }
  return run_command(*command, global, args);
}

/// A result that could not be written is not a result; a reader that has seen enough (EPIPE) is no error.
Result<> finish_output() {
  errno = 0;
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && errno != EPIPE && errno != 0) {
    return fail_errno("cannot write the output");
  }
  return {};
}

/// Of fmt::print(), when output is longer than the buffer, or of the library, when the system refuses something.
Result<> of_system(const std::system_error& error) {
  const int number = error.code().value();
  if (std::ferror(stdout) != 0) {
    return number == EPIPE ? Result<>() : fail_errno("cannot write the output", number);
  }
  return fail(Fault::io, fmt::format("the system refuses something: {}", error.what()),
              "see `harness doctor` for the limits of this process");
}

Result<double> parse_seconds_or_none(std::string_view text) {
  WAGGLE_LET(time, parse_duration(text));
  return std::chrono::duration<double>(time).count();
}

Result<double> parse_seconds(std::string_view text) {
  WAGGLE_LET(seconds, parse_seconds_or_none(text));
  if (seconds <= 0) {
    return fail(Fault::usage, fmt::format("'{}' is no time at all", text), "write it like 10s, 200ms or 1.5m");
  }
  return seconds;
}

template <typename T>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& target, const std::string& help,
                        Result<T> (*parse_text)(std::string_view), const std::string& type) {
  const auto set = [&target, parse_text, name](const std::string& text) {
    const Result<T> value = parse_text(text);
    if (!value) {
      throw CLI::ValidationError(name, value.error().text());
    }
    target = *value;
  };
  return app.add_option_function<std::string>(name, set, help)->option_text(type);
}

}  // namespace

CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::uint64_t& target, const std::string& help) {
  return add_parsed(app, name, target, help, parse_size, "BYTES");
}

CLI::Option* add_seconds(CLI::App& app, const std::string& name, double& target, const std::string& help) {
  return add_parsed(app, name, target, help, parse_seconds, "TIME");
}

CLI::Option* add_seconds_or_none(CLI::App& app, const std::string& name, double& target, const std::string& help) {
  return add_parsed(app, name, target, help, parse_seconds_or_none, "TIME");
}

CLI::Option* add_rate(CLI::App& app, const std::string& name, double& target, const std::string& help) {
  return add_parsed(app, name, target, help, parse_rate, "RATE");
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help) {
  const auto set = [&target, choices, name](const std::string& text) {
    if (std::ranges::find(choices, text) == choices.end()) {
      throw CLI::ValidationError(
          name, fmt::format("'{}' is none of its values; choose one of: {}", text, fmt::join(choices, ", ")));
    }
    target = text;
  };
  return app.add_option_function<std::string>(name, set, help)->option_text(fmt::format("{}", fmt::join(choices, "|")));
}

int run_program(int argc, const char* const* argv) {
  Global global;
  global.command_line.assign(argv, argv + argc);
  topology::raise_limits();
  Result<> done;
  try {
    done = dispatch(global, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    if (done) {
      done = finish_output();
    }
  } catch (const std::system_error& error) {
    done = of_system(error);
  } catch (const std::exception& error) {
    done = fail(Fault::io, fmt::format("the program is at fault: {}", error.what()), "report it with the command line");
  }
  if (!done) {
    std::fflush(stdout);
    print_error("harness: {}\n", printable(done.error().text()));
    return exit_code(done.error());
  }
  return 0;
}

}  // namespace waggle::cli
