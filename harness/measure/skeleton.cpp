// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/skeleton.hpp"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace waggle::measure {
namespace {

thread_local std::string last_warning;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_WARN) {
    std::array<char, 512> line{};
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    // The verifier's log follows the sentence that says what went wrong and fills screens.
    if (length > 0 && std::strstr(line.data(), "PROG LOAD LOG") == nullptr) {
      last_warning = line.data();
      last_warning = last_warning.substr(0, last_warning.find('\n'));
    }
  }
  return 0;
}

std::string remedy(int error) {
  if (error == EPERM || error == EACCES) {
    return ::geteuid() == 0 ? "this kernel or container refuses it even to root; see `harness doctor` for what remains"
                            : "run as root (or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)";
  }
  if (error == ENOENT || error == ESRCH) {
    return "use a kernel with BTF (CONFIG_DEBUG_INFO_BTF) and tracepoints, such as Debian's";
  }
  return "run without probes (copies are then modelled), or use a kernel that allows BPF tracing";
}

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};

const btf* kernel_types() {
  static const std::unique_ptr<btf, FreeBtf> types{btf__load_vmlinux_btf()};
  return types.get();
}

}  // namespace

void capture_bpf_messages() {
  static const bool once = (libbpf_set_print(keep_warning), true);
  static_cast<void>(once);
  last_warning.clear();
}

std::unexpected<Error> bpf_failure(std::string_view action, int error) {
  std::string what = fmt::format("{}: {}", action, std::strerror(error));
  if (!last_warning.empty()) {
    what += fmt::format(" ({})", last_warning);
  }
  Error failure{.fault = Fault::missing, .what = std::move(what), .hint = remedy(error), .system = error};
  return std::unexpected(std::move(failure));
}

int tracepoint_arguments(const std::string& name) {
  const btf* types = kernel_types();
  const int id = types == nullptr ? -1 : btf__find_by_name_kind(types, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) {
    return -1;
  }
  const btf_type* pointer = btf__type_by_id(types, btf__type_by_id(types, static_cast<__u32>(id))->type);
  const btf_type* function = pointer == nullptr ? nullptr : btf__type_by_id(types, pointer->type);
  if (function == nullptr || !btf_is_func_proto(function)) {
    return -1;
  }
  return static_cast<int>(btf_vlen(function)) - 1;  // the first one is the tracepoint's own data
}

std::string drop_reason_name(std::uint32_t reason) {
  const btf* types = kernel_types();
  const int id = types == nullptr ? -1 : btf__find_by_name_kind(types, "skb_drop_reason", BTF_KIND_ENUM);
  if (id >= 0) {
    const btf_type* enumeration = btf__type_by_id(types, static_cast<__u32>(id));
    for (const struct btf_enum& value : std::span(btf_enum(enumeration), btf_vlen(enumeration))) {
      if (static_cast<std::uint32_t>(value.val) == reason) {
        std::string name = btf__name_by_offset(types, value.name_off);
        constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
        return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
      }
    }
  }
  return "reason " + std::to_string(reason);
}

std::pair<std::uint64_t, std::uint64_t> pid_namespace() {
  constexpr std::uint64_t kInitialNamespace = 0xEFFFFFFCU;  // PROC_PID_INIT_INO of linux/proc_ns.h
  struct stat status{};
  if (::stat("/proc/self/ns/pid", &status) != 0 || status.st_ino == kInitialNamespace) {
    return {0, 0};
  }
  return {status.st_dev, status.st_ino};
}

std::uint64_t sum(const bpf_map* map, std::uint32_t key) {
  std::uint64_t total = 0;
  for (const std::uint64_t value : per_cpu<std::uint64_t>(map, key)) {
    total += value;
  }
  return total;
}

Result<> run_on_every_cpu(const bpf_program* program) {
  for (int cpu = 0; cpu < libbpf_num_possible_cpus(); ++cpu) {
    bpf_test_run_opts options{.sz = sizeof(options)};
    options.flags = BPF_F_TEST_RUN_ON_CPU;
    options.cpu = static_cast<__u32>(cpu);
    const int error = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
    if (error != 0 && error != -ENXIO) {  // ENXIO: this CPU is off line
      return bpf_failure("cannot run a BPF program on CPU " + std::to_string(cpu), -error);
    }
  }
  return {};
}

}  // namespace waggle::measure
