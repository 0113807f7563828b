// SPDX-License-Identifier: BSD-2-Clause
// The large headers that most of the harness needs, compiled once. Every file still includes what it uses.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>
