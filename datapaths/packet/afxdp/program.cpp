// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/program.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include <vector>

#include "base/mode.hpp"
#include "datapaths/packet/afxdp/skeleton.hpp"
#include "datapaths/xdp/messages.hpp"

namespace waggle::packet {
namespace {

std::string attached_as(const Interface& interface) {
  bpf_xdp_query_opts query{.sz = sizeof query};
  if (bpf_xdp_query(interface.index, 0, &query) != 0) {
    return "unknown";
  }
  switch (query.attach_mode) {
    case XDP_ATTACHED_NONE: return "none";
    case XDP_ATTACHED_DRV: return "native";
    case XDP_ATTACHED_SKB: return "generic";
    case XDP_ATTACHED_HW: return "offloaded";
    default: return "several";
  }
}

Error occupied(const Interface& interface) {
  return {.fault = Fault::missing,
          .what = fmt::format("another XDP program is attached to {} already", interface.name),
          .hint = fmt::format("stop what uses it, or remove it by `ip link set dev {} xdp off`", interface.name),
          .system = EBUSY};
}

/// Ways to attach, in the order in which they are tried.
struct Way {
  std::uint32_t flags;
  bool fragments;
};

std::vector<Way> ways(const std::string& mode) {
  std::vector<Way> all;
  if (mode != "generic") {
    all.push_back({XDP_FLAGS_DRV_MODE, false});
    all.push_back({XDP_FLAGS_DRV_MODE, true});
  }
  if (mode != "native") {
    all.push_back({XDP_FLAGS_SKB_MODE, false});
  }
  return all;
}

}  // namespace

void RedirectProgram::Destroy::operator()(afxdp_bpf* skeleton) const {
  afxdp_bpf::destroy(skeleton);
}

Result<RedirectProgram> RedirectProgram::load(const Station& local, bool fragments) {
  const xdp::Messages messages;
  RedirectProgram made(afxdp_bpf::open(), fragments);
  if (!made.skeleton_) {
    return messages.failure("cannot open the XDP program of afxdp", errno);
  }
  made.skeleton_->rodata->local_ip = htonl(local.ip);
  made.skeleton_->rodata->local_port = htons(local.port);
  bpf_program__set_autoload(made.skeleton_->progs.afxdp_frame, !fragments);
  bpf_program__set_autoload(made.skeleton_->progs.afxdp_fragments, fragments);
  if (const int error = afxdp_bpf::load(made.skeleton_.get()); error != 0) {
    return messages.failure("cannot load the XDP program of afxdp", -error);
  }
  return made;
}

Result<> RedirectProgram::check_free(const Interface& interface) {
  const std::string mode = attached_as(interface);
  return mode == "none" || mode == "unknown" ? Result<>{} : std::unexpected(occupied(interface));
}

Result<RedirectProgram> RedirectProgram::attach(const Interface& interface, const Station& local,
                                                const std::string& mode, bool allow_fallback) {
  if (mode != "native" && mode != "generic" && mode != "auto") {
    return fail(Fault::usage, fmt::format("afxdp.mode={} makes no sense", mode), "choose native, generic or auto");
  }
  Result<> last;
  for (const Way& way : ways(allow_fallback && mode == "native" ? "auto" : mode)) {
    WAGGLE_LET(program, load(local, way.fragments));
    last = program.link_to(interface, way.flags);
    if (last) {
      WAGGLE_LET(granted, grant({"xdp", mode, attached_as(interface)}, allow_fallback, "choose another mode"));
      program.mode_ = granted;
      return program;
    }
    if (last.error().system == EBUSY || last.error().system == EPERM) {
      break;
    }
  }
  return std::unexpected(std::move(last).error());
}

Result<> RedirectProgram::link_to(const Interface& interface, std::uint32_t flags) {
  const xdp::Messages messages;
  bpf_link_create_opts options{.sz = sizeof options};
  options.flags = flags;
  const int link = bpf_link_create(fd(), interface.index, BPF_XDP, &options);
  if (link >= 0) {
    link_.reset(link);
    return {};
  }
  Error error{.fault = Fault::missing, .what = {}, .hint = {}, .system = -link};
  switch (-link) {
    case EBUSY:
    case EEXIST: error = occupied(interface); break;
    case ERANGE:
    case EINVAL:
    case EOPNOTSUPP:
      error.what = fmt::format("{} does not take an XDP program in {} mode with MTU {}", interface.name,
                               flags == XDP_FLAGS_SKB_MODE ? "generic" : "native", interface.mtu);
      error.hint = "set afxdp.mode=generic, or lower the MTU";
      break;
    default: return messages.failure(fmt::format("cannot attach an XDP program to {}", interface.name), -link);
  }
  return std::unexpected(std::move(error));
}

Result<> RedirectProgram::add(std::uint32_t queue, int socket) {
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.sockets), &queue, &socket, BPF_ANY) != 0) {
    return fail_errno(fmt::format("cannot redirect queue {} to its AF_XDP socket", queue));
  }
  return {};
}

int RedirectProgram::fd() const {
  return bpf_program__fd(fragments_ ? skeleton_->progs.afxdp_fragments : skeleton_->progs.afxdp_frame);
}

}  // namespace waggle::packet
