// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/eal.hpp"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_version.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

// There when LeakSanitizer is (sanitizer/lsan_interface.h).
extern "C" [[gnu::weak]] void __lsan_disable();  // NOLINT(bugprone-reserved-identifier)
extern "C" [[gnu::weak]] void __lsan_enable();   // NOLINT(bugprone-reserved-identifier)

namespace waggle::packet::dpdk {
namespace {

/// Where DPDK's log goes: into a file if the user wants it, and the first error into memory.
class Log {
 public:
  /// Never destroyed: EAL's threads may write until the process ends.
  static Log& get() {
    static Log& log = *new Log;
    return log;
  }

  std::FILE* stream() { return stream_; }
  bool kept() const { return file_ != nullptr; }

  std::string first() {
    const std::lock_guard lock(mutex_);
    return first_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    first_.clear();
  }

 private:
  Log() {
    if (const char* path = std::getenv("WAGGLE_DPDK_LOG"); path != nullptr && *path != '\0') {
      file_ = std::fopen(path, "ae");
    }
    stream_ = ::fopencookie(this, "w", {.read = nullptr, .write = take, .seek = nullptr, .close = nullptr});
    std::setvbuf(stream_, nullptr, _IOLBF, 1024);
  }

  static ssize_t take(void* cookie, const char* text, std::size_t size) {
    auto& log = *static_cast<Log*>(cookie);
    const std::lock_guard lock(log.mutex_);
    if (log.file_ != nullptr) {
      std::fwrite(text, 1, size, log.file_);
      std::fflush(log.file_);
    }
    const int level = rte_log_cur_msg_loglevel();
    if (level > 0 && level <= static_cast<int>(RTE_LOG_ERR) && size > 1 && log.first_.empty()) {
      log.first_.assign(text, size);
      std::ranges::replace(log.first_, '\n', ' ');
      while (log.first_.ends_with(' ') || log.first_.ends_with('.')) {
        log.first_.pop_back();
      }
    }
    return static_cast<ssize_t>(size);
  }

  std::mutex mutex_;
  std::FILE* stream_ = nullptr;
  std::FILE* file_ = nullptr;
  std::string first_;
};

/// Runs rte_eal_init() with everything that it prints kept off the terminal.
int init_quietly(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  rte_openlog_stream(Log::get().stream());
  // Some failures are printed to standard error past the log.
  const QuietErrors quiet;
  return rte_eal_init(static_cast<int>(arguments.size()), arguments.data());
}

Result<> start(const EalOptions& options) {
  const std::string cpus = options.cpus.empty() ? cpus_of_thread() : options.cpus;
  std::vector<std::string> words = {
      "waggle",           "--in-memory",
      "--no-telemetry",   "--single-file-segments",
      "--iova-mode=va",   "--lcores",
      "0@(" + cpus + ")", Log::get().kept() ? "--log-level=*:info" : "--log-level=*:notice"};
  if (options.pci.empty()) {
    words.emplace_back("--no-pci");
  } else {
    words.insert(words.end(), {"-a", options.pci});
  }
  int used = -1;
  int error = 0;
  // In a thread of its own, since it changes the affinity of the thread that calls it.
  std::thread([&] {
    const NoPipeSignal no_pipe;
    used = init_quietly(words);
    error = rte_errno;
  }).join();
  if (used < 0) {
    const std::string why = first_complaint();
    return fail(Fault::missing, fmt::format("cannot start DPDK's EAL: {}", why.empty() ? rte_strerror(error) : why),
                "see that hugepages are free (grep Huge /proc/meminfo), reserve some with: echo 64 | sudo tee "
                "/proc/sys/vm/nr_hugepages; WAGGLE_DPDK_LOG=FILE keeps its log");
  }
  return {};
}

}  // namespace

Result<> start_eal(const EalOptions& options) {
  static std::mutex mutex;
  static std::optional<Result<>> started;
  const std::lock_guard lock(mutex);
  if (!started) {
    started = start(options);
  }
  return *started;
}

std::string first_complaint() {
  return Log::get().first();
}

void forget_complaints() {
  Log::get().forget();
}

namespace {

/// How many QuietErrors the calling thread has.
thread_local int quiet_depth = 0;

/// Stands in for standard error while any thread keeps quiet. There is one such stream per process and it belongs to
/// all threads, so it asks who writes: a thread that waits in DPDK for hours must not swallow what the others have to
/// say.
struct Quiet {
  std::mutex mutex;
  int holders = 0;
  std::FILE* before = nullptr;
  std::FILE* const stream =
      ::fopencookie(this, "w", {.read = nullptr, .write = pass, .seek = nullptr, .close = nullptr});

  Quiet() { std::setvbuf(stream, nullptr, _IONBF, 0); }

  static ssize_t pass(void* cookie, const char* text, std::size_t size) {
    std::FILE* to = quiet_depth > 0 ? Log::get().stream() : static_cast<const Quiet*>(cookie)->before;
    return static_cast<ssize_t>(std::fwrite(text, 1, size, to));
  }

  /// Never destroyed, as the stream may be in some thread's hands.
  static Quiet& get() {
    static Quiet& quiet = *new Quiet;
    return quiet;
  }
};

}  // namespace

QuietErrors::QuietErrors() {
  Quiet& quiet = Quiet::get();
  const std::lock_guard lock(quiet.mutex);
  ++quiet_depth;
  if (quiet.holders++ == 0) {
    quiet.before = std::exchange(stderr, quiet.stream);
  }
}

QuietErrors::~QuietErrors() {
  Quiet& quiet = Quiet::get();
  const std::lock_guard lock(quiet.mutex);
  --quiet_depth;
  if (--quiet.holders == 0) {
    stderr = quiet.before;
  }
}

NoLeakCheck::NoLeakCheck() {
  if (__lsan_disable != nullptr) {
    __lsan_disable();
  }
}

NoLeakCheck::~NoLeakCheck() {
  if (__lsan_enable != nullptr) {
    __lsan_enable();
  }
}

NoPipeSignal::NoPipeSignal() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before_);
}

NoPipeSignal::~NoPipeSignal() {
  // One that has come must not be seen later; one that was held back before is not ours to take.
  if (::sigismember(&before_, SIGPIPE) == 0) {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    const timespec now{};
    while (::sigtimedwait(&pipe, nullptr, &now) > 0) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Result<Plugged> Plugged::make(const std::string& bus, const std::string& name, const std::string& arguments) {
  const NoPipeSignal no_pipe;
  const QuietErrors quiet_errors;
  forget_complaints();
  std::uint16_t id = 0;
  const int failed = rte_eal_hotplug_add(bus.c_str(), name.c_str(), arguments.c_str());
  if (failed != 0 || rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    const std::string why = first_complaint();
    return fail(Fault::missing, fmt::format("DPDK cannot open {}: {}",
                                            arguments.empty() ? name : fmt::format("{} ({})", name, arguments),
                                            why.empty() ? rte_strerror(-failed) : why));
  }
  return Plugged(bus, name, id);
}

Plugged::Plugged(Plugged&& other) noexcept
    : bus_(std::exchange(other.bus_, {})), name_(std::move(other.name_)), id_(other.id_) {}

Plugged::~Plugged() {
  if (!bus_.empty()) {
    const NoPipeSignal no_pipe;
    const QuietErrors quiet_errors;
    rte_eth_dev_close(id_);
    rte_eal_hotplug_remove(bus_.c_str(), name_.c_str());
  }
}

std::string cpus_of_thread() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  std::string text;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) {
      text += fmt::format("{}{}", text.empty() ? "" : ",", cpu);
    }
  }
  return text;
}

}  // namespace waggle::packet::dpdk
