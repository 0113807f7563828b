// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/drawing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/installed.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"

namespace waggle::answers {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
constexpr int kWrongUse = 2;
constexpr int kMissing = 3;

/// What a program said on stderr, and how it ended.
struct Ended {
  std::string said;
  int status = 0;
};

/// Reads until the other end is closed. When a stop is asked for, the child is, too.
std::string all_of(int fd, pid_t child, const std::stop_token& cancel) {
  const StopFd stop(cancel);
  std::array<pollfd, 2> ends{pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                             pollfd{.fd = stop.get(), .events = POLLIN, .revents = 0}};
  std::string said;
  std::array<char, 4096> part{};
  while (true) {
    if (::poll(ends.data(), ends.size(), -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return said;
    }
    if (ends[1].revents != 0) {
      ::kill(child, SIGTERM);
      ends[1].fd = -1;  // which poll(2) passes over
      ends[1].revents = 0;
    }
    if (ends[0].revents == 0) {
      continue;
    }
    const ssize_t n = ::read(fd, part.data(), part.size());
    if (n > 0) {
      said.append(part.data(), static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return said;
    }
  }
}

Result<Ended> run(const std::vector<std::string>& words, const std::stop_token& cancel) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno("cannot make a pipe");
  }
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::vector<char*> arguments;
  for (const auto& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // posix_spawn(3) does not write to them
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    return fail(Fault::missing, fmt::format("plots need {}", words.front()), "./testbed packages report installs it");
  }
  if (error != 0) {
    return fail_errno(fmt::format("cannot start {}", words.front()), error);
  }
  writing.reset();
  Ended ended{.said = all_of(reading.get(), child, cancel)};
  while (::waitpid(child, &ended.status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

/// The last line that is not empty: a traceback ends with what went wrong. Without the name of who says it.
std::string last_line(std::string text) {
  constexpr std::string_view kSays = "plots: ";
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  const auto line = printable(text.substr(text.rfind('\n') + 1));
  return line.starts_with(kSays) ? line.substr(kSays.size()) : line;
}

}  // namespace

Result<std::string> draw(const std::filesystem::path& model, const std::filesystem::path& folder,
                         const Drawing& drawing) {
  const auto program = installed("plots/draw.py", "results/plots/draw.py");
  // From the root, so that none begins like an option.
  std::vector<std::string> words{kPython, "-I", program.native(), std::filesystem::absolute(model).native(),
                                 std::filesystem::absolute(folder).native()};
  words.push_back(fmt::format("--format={}", fmt::join(drawing.formats, ",")));
  words.push_back("--style=" + drawing.style);
  if (!drawing.kind.empty()) {
    words.push_back("--plot=" + drawing.kind);
  }
  if (!drawing.of.empty()) {
    words.push_back("--of=" + drawing.of);
  }
  if (!drawing.output.empty()) {
    words.push_back("--output=" + drawing.output.native());
  }
  WAGGLE_LET(ended, run(words, drawing.cancel));
  if (drawing.cancel.stop_requested()) {
    return fail(Fault::cancelled, "interrupted; no plot was drawn");
  }
  auto line = last_line(ended.said);
  if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0) {
    return line;
  }
  const int code = WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 1;
  const auto fault = code == kWrongUse ? Fault::usage : code == kMissing ? Fault::missing : Fault::io;
  return fail(fault, line.empty() ? "the plots could not be drawn" : line);
}

}  // namespace waggle::answers
