// SPDX-License-Identifier: BSD-2-Clause
#pragma once
// The skeletons that bpftool generates are C and convert freely: no warnings of them.
#pragma GCC system_header

#include "harness/measure/bpf/shared.h"

#include "copies.skel.h"
#include "io_uring.skel.h"
#include "network.skel.h"
#include "sched.skel.h"
#include "system_calls.skel.h"
