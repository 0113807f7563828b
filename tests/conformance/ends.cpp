// SPDX-License-Identifier: BSD-2-Clause
#include "tests/conformance/ends.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "harness/store/rooted_store.hpp"

namespace waggle::conformance {
namespace {

/// What `work` found broken, by name of the end.
std::string broken_by(const std::string& end, const Work& work) {
  try {
    work();
    return {};
  } catch (const std::exception& broken) {
    return end + ": " + broken.what() + "\n";
  }
}

/// A process that runs `work` and tells what was broken.
class Process {
 public:
  Process(const std::string& end, const Work& work) {
    std::array<int, 2> pipe{};
    must(::pipe2(pipe.data(), O_CLOEXEC) == 0, "no pipe");
    output_.reset(pipe[0]);
    const UniqueFd writes(pipe[1]);
    pid_ = ::fork();
    must(pid_ >= 0, "no process");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string broken = broken_by(end, work);
      static_cast<void>(!::write(writes.get(), broken.data(), broken.size()));
      ::_exit(broken.empty() ? 0 : 1);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  std::string join() {
    std::string said;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(output_.get(), buffer.data(), buffer.size())) > 0;) {
      said.append(buffer.data(), static_cast<std::size_t>(got));
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || !said.empty()) ? said : said + "a process died\n";
  }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
};

void await_listener(const ChannelOptions& options) {
  for (int i = 0; i < 2000 * patience() && !std::filesystem::exists(options.link_at); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::unique_ptr<protocol::Server> serve(const Lane& lane, const ChannelOptions& options,
                                        const store::RootedStore& store) {
  return std::make_unique<protocol::Server>(
      must(lane.listen(options), "cannot listen"), [&store] { return store.connect(); },
      protocol::ServerOptions{.token = kToken});
}

std::string run_apart(const Lane& lane, const ChannelOptions& options, const std::function<void(Listener&)>& server,
                      const std::function<void(const Endpoint&)>& client) {
  std::error_code ignored;
  std::filesystem::remove(options.link_at, ignored);
  Process serving("server", [&] { server(*must(lane.listen(options), "cannot listen")); });
  await_listener(options);
  Process asking("client", [&] { client(lane.at); });
  std::string broken = asking.join();
  return broken + serving.join();
}

}  // namespace

std::string run_ends(const Lane& lane, const ChannelOptions& options, const std::function<void(Listener&)>& server,
                     const std::function<void(const Endpoint&)>& client) {
  if (lane.apart) {
    return run_apart(lane, options, server, client);
  }
  auto listener = lane.listen(options);
  if (!listener) {
    return "cannot listen: " + listener.error().text();
  }
  const Endpoint at = (*listener)->endpoint();
  auto serving = std::async(std::launch::async, [&] {
    std::string broken = broken_by("server", [&] { server(**listener); });
    (*listener)->abort();
    return broken;
  });
  std::string broken = broken_by("client", [&] { client(at); });
  if (!broken.empty()) {
    (*listener)->abort();
  }
  return broken + serving.get();
}

std::string run_server(const Lane& lane, const ChannelOptions& options, const std::filesystem::path& directory,
                       const std::function<void(const Endpoint&, protocol::Server*)>& client) {
  const auto store = store::RootedStore::open(directory);
  if (!store) {
    return store.error().text();
  }
  if (!lane.apart) {
    return broken_by("client", [&] {
      const auto server = serve(lane, options, *store);
      client(server->endpoint(), server.get());
    });
  }
  std::error_code ignored;
  std::filesystem::remove(options.link_at, ignored);
  std::array<int, 2> pipe{};
  must(::pipe2(pipe.data(), O_CLOEXEC) == 0, "no pipe");
  const UniqueFd reads(pipe[0]);
  UniqueFd writes(pipe[1]);
  Process serving("server", [&] {
    writes.reset();
    const auto server = serve(lane, options, *store);
    std::byte none{};
    static_cast<void>(!::read(reads.get(), &none, 1));  // until the other end is closed
  });
  await_listener(options);
  std::string broken = Process("client", [&] { client(lane.at, nullptr); }).join();
  writes.reset();
  return broken + serving.join();
}

std::map<std::string, std::string> on_all(const std::vector<Lane>& all,
                                          const std::function<std::string(const Lane&)>& what, bool at_once) {
  std::map<std::string, std::string> broken;
  // First those that fork: there must be no other threads then.
  for (const Lane& lane : all) {
    if (lane.apart) {
      broken[lane.name] = what(lane);
    }
  }
  // The two carriers one after the other: where a ring of AF_XDP was unmapped io_uring may map one, with calls that
  // ThreadSanitizer does not see.
  for (const bool packets : {false, true}) {
    std::map<std::string, std::future<std::string>> running;
    for (const Lane& lane : all) {
      if (!lane.apart && lane.packets() == packets) {
        auto result =
            std::async(at_once || packets ? std::launch::async : std::launch::deferred, what, std::cref(lane));
        running.emplace(lane.name, std::move(result));
      }
    }
    for (auto& [name, result] : running) {
      broken[name] = result.get();
    }
  }
  return broken;
}

}  // namespace waggle::conformance
