// SPDX-License-Identifier: BSD-2-Clause
#define WAGGLE_XXH3_KERNEL kBase
#include "base/digest_xxh3_kernel.hpp"
