// SPDX-License-Identifier: BSD-2-Clause
#pragma once
// The skeletons that bpftool generates are C and convert freely: no warnings of them.
#pragma GCC system_header

#include "afxdp.skel.h"
