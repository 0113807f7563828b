// SPDX-License-Identifier: BSD-2-Clause
#define WAGGLE_XXH3_KERNEL kAvx2
#include "base/digest_xxh3_kernel.hpp"
