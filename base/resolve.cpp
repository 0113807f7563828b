// SPDX-License-Identifier: BSD-2-Clause
#include "base/resolve.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace waggle {
namespace {

/// What is asked and what came of it: owned by whoever still asks or still waits.
struct Question {
  std::string host;
  std::string service;
  addrinfo hints;
  Lookup lookup;
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<int> code;
  Addresses addresses;

  void ask() {
    addrinfo* list = nullptr;
    const int failure =
        lookup(host.empty() ? nullptr : host.c_str(), service.empty() ? nullptr : service.c_str(), &hints, &list);
    const std::scoped_lock lock(mutex);
    addresses.reset(failure == 0 ? list : nullptr);
    code = failure;
    answered.notify_all();
  }
};

Result<Addresses> answer_of(Question& question) {
  if (*question.code == 0) {
    return std::move(question.addresses);
  }
  if (question.host.contains('%')) {
    return fail(Fault::not_found, fmt::format("cannot resolve '{}': its interface is not known here", question.host),
                "name one of those that `ip -6 address` lists behind the %");
  }
  return fail(
      Fault::not_found,
      fmt::format("cannot resolve '{}'{}: {}", question.host,
                  question.hints.ai_family == AF_INET ? " to an IPv4 address" : "", ::gai_strerror(*question.code)),
      question.hints.ai_family == AF_INET ? "check the name or give an IPv4 address"
                                          : "check the name or give an address");
}

}  // namespace

Result<Addresses> resolve(const std::string& host, const std::string& service, const addrinfo& hints,
                          const std::stop_token& cancel, Lookup lookup) {
  const auto question = std::make_shared<Question>();
  question->host = host;
  question->service = service;
  question->hints = hints;
  question->hints.ai_flags |= AI_NUMERICHOST;
  question->lookup = ::getaddrinfo;
  question->ask();                                                            // of an address nobody else need be asked
  if (*question->code != EAI_NONAME || host.empty() || host.contains('%')) {  // no name has a zone
    return answer_of(*question);
  }
  question->code.reset();
  question->hints = hints;
  question->lookup = lookup;
  if (!cancel.stop_possible()) {
    question->ask();
    return answer_of(*question);
  }
  std::unique_lock lock(question->mutex);
  try {
    std::thread([question] { question->ask(); }).detach();
  } catch (const std::system_error&) {
    return fail(Fault::no_space, fmt::format("cannot resolve '{}': no thread is to be had", host));
  }
  if (!question->answered.wait(lock, cancel, [&] { return question->code.has_value(); })) {
    return fail(Fault::cancelled, fmt::format("looking for '{}' was called off", host));
  }
  return answer_of(*question);
}

}  // namespace waggle
