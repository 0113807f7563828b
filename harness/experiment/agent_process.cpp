// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/agent_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "harness/experiment/agent_main.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr auto kQuit = std::chrono::seconds(10);
/// Between the closing of a dying agent's socket and its end; freeing much memory takes a while.
constexpr auto kDying = std::chrono::milliseconds(5000);

/// What went wrong between fork and exec, written to a pipe that exec closes.
struct Failure {
  enum Step : int { network, affinity, parent, execute } step;
  int error;
};

Error describe(const Failure& failure, const AgentOptions& options) {
  switch (failure.step) {
    case Failure::network:
      return fail_errno("cannot enter the network namespace of the " + options.name, failure.error).error();
    case Failure::affinity:
      return fail(Fault::usage,
                  fmt::format("cannot pin the {} to CPU {}: {}", options.name, options.cpu,
                              std::strerror(failure.error)),
                  fmt::format("choose a CPU from 0 to {} that this process may use",
                              ::sysconf(_SC_NPROCESSORS_ONLN) - 1))
          .error();
    case Failure::parent: return fail(Fault::cancelled, "the harness is gone").error();
    case Failure::execute: break;
  }
  return fail_errno("cannot start the " + options.name + " process", failure.error).error();
}

void keep_across_exec(int fd) {
  if (fd >= 0) {
    ::fcntl(fd, F_SETFD, 0);
  }
}

/// The child's way to exec; only async-signal-safe calls, since the harness may have threads.
Failure become_agent(const AgentOptions& options, pid_t parent, int control, char* const* arguments) {
  ::setpgid(0, 0);
  release_signals_in_child();
  // Dies with the thread that started it, even if that is killed; unless that has happened already.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    return {Failure::parent, 0};
  }
  if (options.network >= 0 && ::setns(options.network, CLONE_NEWNET) != 0) {
    return {Failure::network, errno};
  }
  if (options.cpu >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(options.cpu), &cpus);
    if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) {
      return {Failure::affinity, errno};
    }
  }
  keep_across_exec(control);
  keep_across_exec(options.inherited);
  ::execv("/proc/self/exe", arguments);
  return {Failure::execute, errno};
}

std::string way_of_death(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) {
    return fmt::format("ended with exit code {}", info.si_status);
  }
  return fmt::format("was killed by signal {} ({})", info.si_status, ::strsignal(info.si_status));
}

}  // namespace

Result<AgentProcess> AgentProcess::start(const AgentOptions& options) {
  WAGGLE_LET(ends, Control::make());
  auto& [ours, theirs] = ends;
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
    return fail_errno("cannot make a pipe");
  }
  const UniqueFd problem(pipe_ends[0]);
  UniqueFd problem_write(pipe_ends[1]);
  std::string command = kAgentArgument;
  std::string control = std::to_string(theirs.get());
  std::string program = "harness";
  const std::array<char*, 4> arguments{program.data(), command.data(), control.data(), nullptr};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("cannot start the " + options.name + " process");
  }
  if (pid == 0) {
    const Failure failure = become_agent(options, parent, theirs.get(), arguments.data());
    (void)!::write(problem_write.get(), &failure, sizeof failure);
    ::_exit(127);
  }
  AgentProcess agent(options.name, pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(ours));
  problem_write.reset();
  Failure failure{};
  ssize_t n = 0;
  do {
    n = ::read(problem.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof failure)) {
    return std::unexpected(describe(failure, options));
  }
  if (!agent.pidfd_) {
    return fail(Fault::missing, "this kernel has no pidfd_open", "use Linux 5.3 or newer");
  }
  return agent;
}

AgentProcess::AgentProcess(std::string name, pid_t pid, UniqueFd pidfd, Control control)
    : name_(std::move(name)), pid_(pid), pidfd_(std::move(pidfd)), control_(std::move(control)) {}

AgentProcess::AgentProcess(AgentProcess&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      control_(std::move(other.control_)),
      last_id_(other.last_id_),
      death_(std::move(other.death_)) {}

AgentProcess::~AgentProcess() {
  if (pid_ > 0 && death_.empty()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

Result<> AgentProcess::check() {
  if (death_.empty()) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid_) {
      death_ = way_of_death(info);
    }
  }
  return death_.empty() ? Result<>{} : Result<>(fail(Fault::io, fmt::format("the {} process {}", name_, death_)));
}

Result<> AgentProcess::death() {
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  ::poll(&wait, 1, static_cast<int>(kDying.count()));
  return check();
}

Result<> AgentProcess::wait_readable(const std::string& what, Interrupt& interrupt, const Patience& patience) {
  const auto most = static_cast<std::uint64_t>(patience.most.count());
  std::uint64_t since = now_ns();
  while (true) {
    std::array<pollfd, 3> wait{{{.fd = control_.fd(), .events = POLLIN, .revents = 0},
                                {.fd = pidfd_.get(), .events = POLLIN, .revents = 0},
                                {.fd = interrupt.fd(), .events = POLLIN, .revents = 0}}};
    const std::uint64_t waited = now_ns() - since;
    const auto left = waited < most ? static_cast<int>((most - waited) / 1'000'000U) + 1 : 0;
    const int tick = patience.alive || patience.useless ? static_cast<int>(kTick.count()) : left;
    if (::poll(wait.data(), wait.size(), std::min(left, tick)) < 0 && errno != EINTR) {
      return fail_errno("cannot wait for the " + name_ + " process");
    }
    WAGGLE_TRY(interrupt.check());
    if ((wait[0].revents & POLLIN) != 0) {
      return {};
    }
    if ((wait[0].revents | wait[1].revents) != 0) {
      return death();
    }
    if (patience.useless) {
      WAGGLE_TRY(patience.useless());
    }
    if (patience.alive && patience.alive()) {
      since = now_ns();
    } else if (now_ns() - since >= most) {
      return fail(Fault::timeout, fmt::format("the {} process hangs: no progress in '{}' for {:.0f} s", name_, what,
                                              std::chrono::duration<double>(patience.most).count()));
    }
  }
}

Result<json> AgentProcess::call(json request, Interrupt& interrupt, const Patience& patience) {
  request["id"] = ++last_id_;
  if (const auto sent = control_.send(request); !sent) {
    WAGGLE_TRY(death());
    return std::unexpected(sent.error());
  }
  while (true) {
    WAGGLE_TRY(wait_readable(request.value("do", ""), interrupt, patience));
    auto answer = control_.take();
    if (!answer) {
      WAGGLE_TRY(death());
      return std::unexpected(answer.error());
    }
    if (!*answer) {
      continue;  // the rest of it is to come
    }
    if (!(*answer)->is_object()) {
      return fail(Fault::protocol, fmt::format("the {} process answers what is no answer", name_));
    }
    if ((*answer)->value("id", json()) != last_id_) {
      continue;  // it answers what was asked before
    }
    if (const auto error = (*answer)->find("error"); error != (*answer)->end()) {
      return std::unexpected(error_from_json(*error));
    }
    return **std::move(answer);
  }
}

Result<> AgentProcess::quit(Interrupt& interrupt) {
  WAGGLE_TRY(ask(Quit{}, interrupt, {.most = kQuit, .alive = {}}));
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
  death_ = way_of_death(info);
  return info.si_code == CLD_EXITED && info.si_status == 0
             ? Result<>{}
             : Result<>(fail(Fault::io, fmt::format("the {} process {}", name_, death_)));
}

}  // namespace waggle::experiment
