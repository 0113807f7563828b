// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/complaints.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "base/text.hpp"

namespace waggle::cli {

struct Complaints::State {
  int descriptor = -1;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;
  std::size_t dropped = 0;
  bool ending = false;
  bool ended = false;
  std::thread thread;

  void run() {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (std::string text = take(); !text.empty(); text = take()) {
      write(text);
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }

  /// Waits for lines; all that there are, or nothing at the end.
  std::string take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ending || !lines.empty(); });
    std::string text;
    for (const std::string& line : std::exchange(lines, {})) {
      text += line + '\n';
    }
    if (const std::size_t unsaid = std::exchange(dropped, 0); unsaid > 0) {
      text += fmt::format("{} more lines were dropped: nobody read what was written here\n", unsaid);
    }
    return text;
  }

  void write(std::string_view text) const {
    while (!text.empty()) {
      pollfd watched{descriptor, POLLOUT, 0};
      if (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
        continue;
      }
      // So much fits a pipe that poll() calls writable (man 7 pipe).
      const ssize_t done = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (done < 0 && errno != EINTR && errno != EAGAIN) {
        return;  // there is nobody left to tell
      }
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(done, 0)));
    }
  }
};

Complaints::Complaints(int descriptor) : state_(std::make_shared<State>()) {
  state_->descriptor = descriptor;
  state_->thread = std::thread([state = state_] { state->run(); });
}

Complaints::~Complaints() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, kLastWords, [&] { return state_->ended; });
  lock.unlock();
  if (ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
  }
}

void Complaints::say(std::string_view line) {
  const std::lock_guard lock(state_->mutex);
  if (state_->lines.size() < kMost) {
    state_->lines.push_back(printable(line));
    state_->changed.notify_all();
  } else {
    ++state_->dropped;
  }
}

}  // namespace waggle::cli
